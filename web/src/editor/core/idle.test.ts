import { describe, expect, it } from 'vitest';
import { handIdle } from '../testing';
import { Later, whenIdle } from './idle';

describe('what is done later', () => {
  const counting = () => {
    const hand = handIdle();
    const done = { times: 0 };
    const later = new Later(() => {
      done.times += 1;
    }, hand.idle);
    return { hand, done, later };
  };

  it('is done once for however often it was asked, and again when it is asked again', () => {
    const { hand, done, later } = counting();
    later.ask();
    later.ask();
    expect(done.times).toBe(0);
    hand.pause();
    expect(done.times).toBe(1);
    later.ask();
    hand.pause();
    expect(done.times).toBe(2);
  });

  it('is done at once where nobody can wait, and not a second time', () => {
    const { hand, done, later } = counting();
    later.ask();
    later.now();
    expect(done.times).toBe(1);
    hand.pause();
    later.now();
    expect(done.times).toBe(1);
  });

  it('is not done once it is called off', () => {
    const { hand, done, later } = counting();
    later.ask();
    later.drop();
    hand.pause();
    expect(done.times).toBe(0);
  });

  it('is done where the browser knows no pauses', async () => {
    const hasTime = await new Promise((resolve) => whenIdle((left) => resolve(left())));
    expect(hasTime).toBeTypeOf('boolean');
    const callOff = whenIdle(() => {
      throw new Error('it was called off');
    });
    callOff();
    await new Promise((resolve) => setTimeout(resolve, 5));
  });
});
