import { expect, it } from 'vitest';
import { BodyRoom } from './body-room.ts';

it('lets in what there is room for, then those who hold least, in the order in which they came', async () => {
  const room = new BodyRoom(10);
  const began: string[] = [];
  const take = (who: string, bytes: number) =>
    room.take(who, bytes).then((end) => {
      began.push(`${who} ${bytes}`);
      return end;
    });
  const first = await take('a', 4);
  const second = await take('a', 4);
  const waiting = [take('a', 5), take('b', 5), take('b', 3), take('c', 20)];
  first();
  const other = await waiting[1]!;
  expect(began).toEqual(['a 4', 'a 4', 'b 5']);
  second();
  const third = await waiting[0]!;
  other();
  other();
  const fourth = await waiting[2]!;
  third();
  await new Promise((resolve) => setImmediate(resolve));
  expect(began.slice(3)).toEqual(['a 5', 'b 3']);
  // What is larger than the room is alone.
  fourth();
  (await waiting[3]!)();
  expect(began.slice(5)).toEqual(['c 20']);
});

it('puts off who waits too long, and who has too many waiting', async () => {
  const room = new BodyRoom(10, { waitMs: 1, mostWaiting: 1 });
  const end = await room.take('a', 10);
  const late = room.take('a', 1);
  await expect(room.take('a', 1)).rejects.toMatchObject({ status: 429, headers: { 'retry-after': '5' } });
  await expect(late).rejects.toMatchObject({ status: 503, headers: { 'retry-after': '10' } });
  end();
  (await room.take('a', 10))();
});
