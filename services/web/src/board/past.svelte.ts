import type { Board } from '../api/types';
import { toRecord, type TaskRecord } from '../store/records';

/** The board as it stood at a moment. */
export interface Past {
  at: string;
  board: Board;
  tasks: TaskRecord[];
}

export function pastOf(at: string, board: Board): Past {
  return { at, board, tasks: board.tasks.map(toRecord) };
}
