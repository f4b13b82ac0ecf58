import { Modal } from '@mantine/core';
import { type ReactNode, useEffect, useState } from 'react';
import { useT } from '../i18n';

/**
 * A dialog with its title and a way out. Its head is no `header` element: under a dialog's role that would count as
 * a second banner of the page.
 */
export function Dialog({
  opened,
  onClose,
  title,
  size = 'md',
  children,
}: {
  opened: boolean;
  onClose: () => void;
  title: string;
  size?: 'md' | 'lg' | 'xl';
  children: ReactNode;
}) {
  const t = useT();
  useFocusBack();
  return (
    <Modal.Root opened={opened} onClose={onClose} size={size}>
      <Modal.Overlay />
      <Modal.Content>
        <div className="cup-dialog-head">
          <Modal.Title>{title}</Modal.Title>
          <Modal.CloseButton aria-label={t('Close')} />
        </div>
        <Modal.Body>{children}</Modal.Body>
      </Modal.Content>
    </Modal.Root>
  );
}

/** Gives the focus back to what opened a dialog that is gone altogether; one that only closes gives it back itself. */
function useFocusBack(): void {
  // As it is drawn for the first time: after that the focus is in the dialog.
  const [opener] = useState(() => document.activeElement);
  useEffect(
    () => () => {
      // When what is behind it can have the focus again.
      setTimeout(() => {
        const nobody = document.activeElement === null || document.activeElement === document.body;
        if (nobody && opener instanceof HTMLElement && opener.isConnected) opener.focus({ preventScroll: true });
      });
    },
    [opener],
  );
}
