/* Lanes and charts, on canvases: an hour of many workers is more than a document can hold. */

let colours = {};

/** The colours of the current style, light or dark. */
function readColours() {
    const style = getComputedStyle(document.documentElement);
    for (const name of ['ink', 'soft', 'line', 'track', 'boot', 'ready', 'leave', 'bad',
        'memory', 'largest', 'rate', 'queue']) colours[name] = style.getPropertyValue('--' + name);
}

/** Clears a canvas at its size on the screen; returns null if it is not visible. */
function clear(canvas) {
    const {width, height} = canvas.getBoundingClientRect();
    if (!width || !height) return null;
    const ratio = window.devicePixelRatio || 1;
    const columns = Math.round(width * ratio), rows = Math.round(height * ratio);
    if (canvas.width !== columns) canvas.width = columns;
    if (canvas.height !== rows) canvas.height = rows;
    const pen = canvas.getContext('2d');
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    pen.clearRect(0, 0, width, height);
    pen.font = '11px system-ui, sans-serif';
    pen.textAlign = 'left';
    return {pen, width, height};
}

/**
 * The time range of a chart, from `from` to `now`. `x` maps a time to a position. `now` is
 * slightly left of the edge, so that a new mark is not cut off.
 */
class Span {
    constructor(now, seconds) {
        this.now = now;
        this.seconds = seconds;
        this.from = now - seconds;
    }
    x(time, width) { return (time - this.from) / this.seconds * (width - 6); }
    /** The beginning of the range, or the start of the master. */
    get first() { return Math.max(this.from, 0); }
    time(x, width) { return this.from + x / (width - 6) * this.seconds; }
    /** The positions of the ticks, in seconds before now. */
    get ticks() { return [1, 0.75, 0.5, 0.25, 0].map(part => part * this.seconds); }
    /** The ticks that have room for a label. */
    labels(width) { return this.ticks.filter((_, index) => width > 280 || index % 2 === 0); }
}

function line(pen, x, y, toX, toY) {
    pen.beginPath();
    pen.moveTo(x, y);
    pen.lineTo(toX, toY);
    pen.stroke();
}

/** Draws the mark of an exit of this kind around a point. */
function mark(pen, kind, x, y) {
    pen.lineWidth = 1.7;
    pen.strokeStyle = ['crash', 'failure'].includes(kind) ? colours.bad : colours.ink;
    pen.beginPath();
    switch (kind) {
    case 'crash': case 'failure':
        pen.moveTo(x - 3.5, y - 3.5); pen.lineTo(x + 3.5, y + 3.5);
        pen.moveTo(x + 3.5, y - 3.5); pen.lineTo(x - 3.5, y + 3.5);
        break;
    case 'reload':
        pen.moveTo(x, y - 4.5); pen.lineTo(x + 4.5, y); pen.lineTo(x, y + 4.5);
        pen.lineTo(x - 4.5, y); pen.closePath();
        break;
    case 'size':
        pen.moveTo(x - 4, y + 3.5); pen.lineTo(x, y - 4); pen.lineTo(x + 4, y + 3.5);
        pen.closePath();
        break;
    case 'recycle': pen.arc(x, y, 3.2, 0, 2 * Math.PI); break;
    default: pen.moveTo(x, y - 5); pen.lineTo(x, y + 5);
    }
    pen.stroke();
}

/** Draws one slot: a bar per incarnation, alternating between the upper and lower half. */
function drawLane(canvas, lives, span) {
    const drawing = clear(canvas);
    if (!drawing) return;
    const {pen, width, height} = drawing;
    pen.fillStyle = colours.track;
    pen.fillRect(0, 3, width, height - 6);
    pen.strokeStyle = colours.line;
    for (const ago of span.ticks) {
        const x = span.x(span.now - ago, width);
        line(pen, x, 3, x, height - 3);
    }
    const bar = (height - 8) / 2;
    for (const life of lives) {
        if (life.end !== null && life.end < span.from) continue;
        const y = life.isLower ? height / 2 + .5 : 3.5;
        const end = life.end ?? span.now;
        const leaves = Math.min(life.leaves ?? end, end);
        const ready = Math.min(life.ready ?? end, leaves);
        for (const [from, to, colour] of [
            [life.start, ready, 'boot'], [ready, leaves, 'ready'], [leaves, end, 'leave'],
        ]) {
            if (to <= from || to < span.from) continue;
            const x = Math.max(0, span.x(from, width));
            pen.fillStyle = colours[colour];
            pen.fillRect(x, y, Math.max(1, span.x(to, width) - x), bar);
        }
    }
    for (const life of lives) {
        if (!life.exit || life.end < span.from) continue;
        const y = life.isLower ? height * .75 : height * .25;
        mark(pen, kindOfEnd(life.exit.cause), span.x(life.end, width), y);
    }
}

/** The incarnation at a point of a lane, preferring the one in this half. */
function lifeAt(canvas, event, lives, span) {
    const box = canvas.getBoundingClientRect();
    const time = span.time(event.clientX - box.left, box.width);
    const reach = span.seconds / box.width * 5;
    const isLower = event.clientY - box.top > box.height / 2;
    const here = lives.filter(life => life.start <= time + reach
        && (life.end ?? span.now) >= time - reach);
    return here.findLast(life => life.isLower === isLower) ?? here.at(-1);
}

/** Draws the time axis above the lanes. */
function drawAxis(canvas, span) {
    const drawing = clear(canvas);
    if (!drawing) return;
    const {pen, width} = drawing;
    pen.fillStyle = colours.soft;
    for (const ago of span.labels(width)) {
        pen.textAlign = ago === 0 ? 'right' : ago === span.seconds ? 'left' : 'center';
        const x = ago === 0 ? width : span.x(span.now - ago, width);
        pen.fillText(ago === 0 ? 'now' : '−' + secondsText(ago), x, 12);
    }
}

/** The size of the square of a slot. */
const square = 9;

/** Draws many slots as squares, pale unless shown or failing; returns the number of columns. */
function drawOverview(canvas, states, isShown) {
    const width = canvas.getBoundingClientRect().width;
    const columns = Math.max(1, Math.floor(width / square));
    canvas.style.height = Math.ceil(states.length / columns) * square + 'px';
    const drawing = clear(canvas);
    if (!drawing) return columns;
    const fills = {ready: colours.ready, booting: colours.boot, leaving: colours.leave,
        failing: colours.bad};
    states.forEach((state, index) => {
        const x = index % columns * square, y = Math.floor(index / columns) * square;
        drawing.pen.globalAlpha = isShown(index) || state === 'failing' ? 1 : .55;
        drawing.pen.fillStyle = fills[state] ?? colours.soft;
        drawing.pen.fillRect(x, y, square - 2, square - 2);
    });
    drawing.pen.globalAlpha = 1;
    return columns;
}

/** The index of the square at the pointer. */
function squareAt(event, columns) {
    const [column, row] = [event.offsetX, event.offsetY].map(at => Math.floor(at / square));
    return row * columns + column;
}
