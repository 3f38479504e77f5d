/* Figures and states in words, the same as `supervise status` uses. */

const brief = number => number < 9.95 ? number.toFixed(1) : String(Math.round(number));

function bytesText(bytes) {
    if (bytes === undefined || bytes === null) return '';
    const units = [['T', 2 ** 40], ['G', 2 ** 30], ['M', 2 ** 20], ['K', 1024]];
    for (const [letter, size] of units) {
        if (bytes >= size) return brief(bytes / size) + letter;
    }
    return String(bytes);
}

/** A length of time by its two largest units. */
function secondsText(seconds) {
    if (seconds === undefined || seconds === null) return '';
    if (seconds < 1) return Math.round(Math.max(0, seconds) * 1000) + 'ms';
    if (seconds < 9.95) return seconds.toFixed(1) + 's';
    const total = Math.floor(seconds);
    const parts = [
        [Math.floor(total / 86400), 'd'], [Math.floor(total / 3600) % 24, 'h'],
        [Math.floor(total / 60) % 60, 'm'], [total % 60, 's'],
    ];
    const first = parts.findIndex(([count]) => count > 0);
    return parts.slice(first, first + 2).filter(([count]) => count > 0)
        .map(([count, unit]) => count + unit).join(' ');
}

const countText = count => count === undefined ? '' : count.toLocaleString('en');

/** What the counts of these rows are of: one unit, or both. */
function unitOf(rows) {
    const units = new Set(rows.map(row => row.requests_unit).filter(unit => unit));
    return units.size ? [...units].sort().reverse().join('/') : 'requests';
}

/** The state of a worker, or of a slot without one: its words and its colour's class. */
function stateOf(told) {
    switch (told.state) {
    case 'ready': return [told.due ? `ready, due: ${told.due}` : 'ready', 'ready'];
    case 'starting': case 'booting': return [told.state, 'booting'];
    case 'draining': return [`draining: ${told.cause}`, 'leaving'];
    case 'retiring': return [`retiring: ${told.cause}`, 'leaving'];
    case 'backoff':
        return [`failed ${told.failures}×, next in ${secondsText(told.starts_in_seconds)}`,
            'failing'];
    case 'failed': return ['failed', 'failing'];
    case 'waiting': return ['waits for room', 'booting'];
    case 'left-processes': return ['left processes', 'leaving'];
    default: return [told.state, ''];
    }
}

/** How an exit ended: its status or signal. */
const endText = exit => exit.signal !== undefined ? exit.signal : `status ${exit.status}`;

/** A life in a sentence, for whoever points at it. */
function lifeText(life, now, clock) {
    const parts = [`slot ${life.slot}`, `pid ${life.pid ?? '?'}`,
        `generation ${life.generation}`, `started ${clock(life.start)}`];
    if (life.ready !== null) {
        parts.push(`ready after ${secondsText(life.ready - life.start)}`);
    }
    if (life.end !== null) {
        parts.push(`ended ${clock(life.end)} at ${secondsText(life.end - life.start)}`);
        if (life.exit) parts.push(`${life.exit.cause}, ${endText(life.exit)}`);
    } else {
        parts.push(`lives for ${secondsText(now - life.start)}`);
    }
    parts.push(`${countText(life.requests)} ${life.unit ?? 'requests'}`);
    if (life.bytes !== undefined) parts.push(bytesText(life.bytes));
    return parts.join(' · ');
}

/** What the last reload came to: words, and whether that is good, bad or still open. */
function reloadText(reload) {
    const progress = `${reload.replaced} of ${reload.of} replaced`;
    const generation = reload.generation === undefined
        ? '' : ` to generation ${reload.generation}`;
    const reasons = (reload.reasons ?? []).join('; ');
    const said = {
        trial: ['the first new workers are on trial', 'busy'],
        rolling: [progress, 'busy'],
        stalled: [`stalled, ${progress}; new workers keep failing`, 'bad'],
        complete: [`complete in ${secondsText(reload.took_seconds)}`, 'good'],
        aborted: [`aborted, everything is as it was. ${reasons}`, 'bad'],
        failed: [`failed, everything is as it was. ${reasons}`, 'bad'],
    }[reload.state] ?? [reload.state, ''];
    const ago = reload.age_seconds === undefined
        ? '' : ` (begun ${secondsText(reload.age_seconds)} ago)`;
    return [`Reload${generation}: ${said[0]}${ago}`, said[1]];
}
