/** Server-sent events: https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream */

export interface ServerEvent {
  id: string;
  event: string;
  data: string;
}

/** Bytes of one event; a stream that exceeds it is not ours. */
const LONGEST_EVENT = 1024 * 1024;

/** Takes a stream apart; `feed` it with text as it comes. */
export class EventParser {
  private rest = '';
  private id = '';
  private event = '';
  private data: string[] = [];

  /** The events that are complete with `text`. */
  feed(text: string): ServerEvent[] {
    const done: ServerEvent[] = [];
    const all = this.rest + text;
    // A CR at the end may be the first half of a CR LF.
    const held = all.endsWith('\r') ? 1 : 0;
    const lines = all.slice(0, all.length - held).split(/\r\n|\n|\r/);
    this.rest = (lines.pop() ?? '') + (held ? '\r' : '');
    if (this.rest.length > LONGEST_EVENT) throw new Error('an event without an end');
    for (const line of lines) this.take(line, done);
    return done;
  }

  private take(line: string, done: ServerEvent[]): void {
    if (line === '') {
      if (this.data.length > 0) {
        done.push({ id: this.id, event: this.event || 'message', data: this.data.join('\n') });
      }
      this.event = '';
      this.data = [];
      return;
    }
    const colon = line.indexOf(':');
    const name = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '');
    if (name === 'data') this.data.push(value);
    else if (name === 'event') this.event = value;
    else if (name === 'id' && !value.includes('\0')) this.id = value;
  }
}
