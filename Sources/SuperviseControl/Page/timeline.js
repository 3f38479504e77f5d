/* The timeline of the service: reloads, changes of size, upgrades and exits, in all pools. */

/** The number of rows of the timeline. */
const maxEvents = 60;

/** The kind of a change, which has a mark. */
function kindOfChange(name) {
    if (/^(reload|canary)-(aborted|failed)|^(startup|upgrade)-failed$/.test(name)) return 'failure';
    if (name.startsWith('reload')) return 'reload';
    return /^(resized|scaled-up|scaled-down|bounds-changed|parked|unparked)$/.test(name)
        ? 'size' : 'other';
}

/** Describes a change. */
function changeText(change) {
    const {event, generation, message} = change;
    const because = change.error ?? message;
    switch (event) {
    case 'master-started': return 'master started';
    case 'reload': return `reload to generation ${generation} began`;
    case 'reload-committed':
        return `reload to generation ${generation}: its first workers are ready`;
    case 'reload-complete': return `reload to generation ${generation} is complete`;
    case 'reload-aborted':
        return `reload to generation ${generation} aborted: ${
            because?.replace('reload aborted; ', '')}`;
    case 'reload-failed': return `reload failed: ${because}`;
    case 'canary-failed':
        return `the first worker of generation ${generation} failed: ${change.cause}`;
    case 'resized': return `resized from ${change.from} to ${change.to} workers`;
    case 'scaled-up': case 'scaled-down':
        return `${event.replace('-', ' ')} from ${change.from} to ${change.to} workers: ${
            change.cause}`;
    case 'upgraded': return `upgraded from version ${change.from} to ${change.version}`;
    default:
        return event.replaceAll('-', ' ') + (because ? `: ${because}` : '')
            + (change.mode ? ` (${change.mode})` : '');
    }
}

const timeline = {
    changes: [],                // {at, kind, pool, text}, the oldest first
    exits: [],                  // likewise
    newest: 0,                  // the sequence number of the last change that was taken

    /** Takes the changes that the master has kept. */
    takeChanges(changes) {
        this.changes = changes.map(change => ({
            at: uptimeOf(change.time), kind: kindOfChange(change.event), pool: change.pool ?? '',
            text: changeText(change),
        }));
        this.newest = changes.at(-1)?.sequence ?? 0;
    },

    /** Takes the exits of all pools. */
    takeExits(pools, now) {
        this.exits = pools.flatMap(pool => pool.exits.map(exit => ({
            at: now - exit.ago_seconds, kind: kindOfEnd(exit.cause), pool: pool.name,
            cause: exit.cause, text: `slot ${exit.slot} exited: ${exit.cause}, ${endText(exit)}`,
        })));
    },

    /** The times at which workers of another generation began to take over. */
    get reloads() { return this.changes.filter(({kind}) => kind === 'reload').map(({at}) => at); },

    /** All events, the newest first. Exits of a pool for the same cause in a row are one row. */
    get rows() {
        const all = [...this.changes, ...this.exits].sort((one, other) => other.at - one.at);
        const rows = [];
        for (const event of all) {
            const last = rows.at(-1);
            if (event.cause && last?.cause === event.cause && last.pool === event.pool) {
                last.count += 1;
                last.since = event.at;
            } else if (rows.length === maxEvents) {
                break;
            } else {
                rows.push({...event, count: 1});
            }
        }
        return rows;
    },

    draw(now) {
        const element = byID('timeline');
        const rows = this.rows;
        element.hidden = !rows.length;
        if (element.hidden) return;
        this.drawStrip(element.querySelector('.strip'), new Span(now, shownSeconds));
        const text = row => row.count === 1 ? row.text
            : `${row.count} workers exited: ${row.cause}, since ${clockText(row.since)}`;
        const [first] = rows;
        write(element.querySelector('.latest'), `Last event, ${clockText(first.at)}: `
            + (first.pool ? `pool ${first.pool}, ` : '') + text(first));
        if (!element.querySelector('details').open) return;
        fillRows(element.querySelector('tbody'), rows.map(row => [
            timeCell(row.at), [row.pool, 'start'],
            [text(row), ['crash', 'failure'].includes(row.kind) ? 'start wrap bad' : 'start wrap'],
        ]));
    },

    /** Draws all marks on a line, those of changes above those of exits. */
    drawStrip(canvas, span) {
        const drawing = clear(canvas);
        if (!drawing) return;
        const {pen, width, height} = drawing;
        pen.lineWidth = 1;
        pen.strokeStyle = colours.line;
        line(pen, 0, height - 14, width, height - 14);
        pen.fillStyle = colours.soft;
        for (const ago of span.ticks) {
            const x = span.x(span.now - ago, width);
            line(pen, x, 0, x, height - 14);
            if (!span.labels(width).includes(ago)) continue;
            pen.textAlign = ago === 0 ? 'right' : ago === span.seconds ? 'left' : 'center';
            // Local time, because these events are compared with those of other systems.
            pen.fillText(clockText(span.now - ago), ago === 0 ? width : x, height - 2);
        }
        const draw = (events, y) => {
            for (const {at, kind} of events) {
                if (at >= span.from) mark(pen, kind, span.x(at, width), y);
            }
        };
        draw(this.exits.filter(({kind}) => kind !== 'crash'), height - 22);
        draw(this.exits.filter(({kind}) => kind === 'crash'), height - 22);
        draw(this.changes, 7);
    },
};
