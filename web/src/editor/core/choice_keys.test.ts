import { expect, it } from 'vitest';
import type { Ontology } from '../../api/types';
import { chooseOperations } from '../operations/choose_operations';
import { choiceKeys } from './choice_keys';

const PAIR: Ontology = { kind: 'choice', compare: true, classes: [{ name: 'A' }, { name: '7' }, { name: 'equal' }] };

it('gives the first candidate 1, the second 2, and a tie 0, whatever they are called', () => {
  expect([...choiceKeys(PAIR)]).toEqual([
    ['A', '1'],
    ['7', '2'],
    ['equal', '0'],
  ]);
  const two = { ...PAIR, classes: [{ name: '1' }, { name: '2' }] };
  expect([...choiceKeys(two).values()]).toEqual(['1', '2']);
});

it('gives other choices the keys of their order, and the operations have the same', () => {
  const plain: Ontology = { ...PAIR, compare: false };
  expect(choiceKeys(plain).get('equal')).toBe('3');
  for (const ontology of [PAIR, plain]) {
    const pressed = chooseOperations(ontology).filter(({ id }) => id.startsWith('choose:'));
    expect(pressed.map(({ keys }) => keys[0])).toEqual([...choiceKeys(ontology).values()]);
  }
});
