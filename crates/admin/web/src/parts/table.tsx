/** A table that becomes a list of cards where there is little room. */

import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import { useWords } from '../words/use.ts';

export interface Column<T> {
  head: string;
  cell: (row: T) => ComponentChildren;
  /** Figures stand right. */
  number?: boolean;
  /** As wide as its content, where there is room. */
  tight?: boolean;
  /** Buttons of the row; the heading is for those who do not see. */
  actions?: boolean;
}

interface TableProps<T> {
  caption: string;
  /** The first one names the row. */
  columns: Column<T>[];
  rows: T[];
  id: (row: T, index: number) => string | number;
  empty?: ComponentChildren;
  /** Rows that are shown at first, and more at each click. */
  step?: number;
}

export function Table<T>({ caption, columns, rows, id, empty, step = 100 }: TableProps<T>) {
  const { w, f } = useWords();
  const [most, setMost] = useState(step);
  if (rows.length === 0) return <p class="empty">{empty ?? w.do.none}</p>;
  const shown = rows.slice(0, most);
  const left = rows.length - shown.length;
  // Chromium forgets what a table is once its parts are no table boxes any more.
  return (
    <>
      <table role="table" class={columns.length > 4 ? 'list many' : 'list'}>
        <caption class="unseen">{caption}</caption>
        <thead role="rowgroup">
          <tr role="row">
            {columns.map((column) => (
              <th role="columnheader" scope="col" key={column.head} class={kind(column)}>
                {column.actions ? <span class="unseen">{column.head}</span> : column.head}
              </th>
            ))}
          </tr>
        </thead>
        <tbody role="rowgroup">
          {shown.map((row, index) => (
            <tr role="row" key={id(row, index)}>
              {columns.map((column, at) => cell(column, row, at))}
            </tr>
          ))}
        </tbody>
      </table>
      {left > 0 && (
        <button type="button" class="more" onClick={() => setMost(most + step)}>
          {w.do.more(f.count(Math.min(left, step)))} ({w.do.shown(f.count(shown.length), f.count(rows.length))})
        </button>
      )}
    </>
  );
}

function cell<T>(column: Column<T>, row: T, at: number) {
  const content = column.cell(row);
  if (at === 0) {
    return (
      <th role="rowheader" scope="row" key={at} class={kind(column)}>
        {content}
      </th>
    );
  }
  return (
    <td role="cell" key={at} class={kind(column)} data-head={column.actions ? undefined : column.head}>
      {content}
    </td>
  );
}

function kind<T>(column: Column<T>): string | undefined {
  if (column.actions) return 'row-actions';
  if (column.tight) return 'tight';
  return column.number ? 'number' : undefined;
}
