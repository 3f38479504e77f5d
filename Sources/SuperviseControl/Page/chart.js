/* Charts of a pool: lines over time, on canvases. */

/**
 * Draws a chart. `lines` are {path, colour, width, alpha, area, step}, whose path is a list of
 * [time, value]; null is a gap. `top` is the value at the upper edge: what exceeds it is clipped and
 * marked. `cap` is a dashed line with a label, `marks` are exits as [time, value, kind], `gaps` are
 * times without data, and `moments` are times of reloads.
 */
function drawChart(canvas, span, chart) {
    const drawing = clear(canvas);
    if (!drawing) return;
    const {pen, width, height} = drawing;
    const {lines, top, text, cap, capText, marks = [], gaps = [], moments = []} = chart;
    const floor = height - 16, ceiling = 14;
    const y = value => floor - Math.min(value, top) / top * (floor - ceiling);
    for (const [from, to] of gaps) hatch(pen, span, width, from, to, ceiling, floor);
    pen.lineWidth = 1;
    pen.strokeStyle = colours.line;
    pen.fillStyle = colours.soft;
    line(pen, 0, floor, width, floor);
    line(pen, 0, ceiling, width, ceiling);
    pen.fillText(text(top), 0, ceiling - 3);
    pen.fillText('−' + secondsText(span.seconds), 0, height - 3);
    pen.textAlign = 'right';
    pen.fillText('now', width, height - 3);
    for (const time of moments) {
        pen.strokeStyle = colours.soft;
        pen.setLineDash([1, 3]);
        line(pen, span.x(time, width), ceiling, span.x(time, width), floor);
        pen.setLineDash([]);
    }
    for (const one of lines) {
        pen.globalAlpha = one.alpha ?? 1;
        drawPath(pen, one, span, width, y, floor);
    }
    pen.globalAlpha = 1;
    if (cap !== undefined) drawCap(pen, width, y(cap), capText);
    for (const [time, value, kind] of marks) {
        if (time >= span.from && value <= top) mark(pen, kind, span.x(time, width), y(value));
    }
    drawClipped(pen, chart, span, width, ceiling);
}

/** Fills a time without data with diagonal lines. */
function hatch(pen, span, width, from, to, ceiling, floor) {
    const left = Math.max(0, span.x(from, width)), right = span.x(to, width);
    if (right - left < 2) return;
    pen.save();
    pen.beginPath();
    pen.rect(left, ceiling, right - left, floor - ceiling);
    pen.clip();
    pen.strokeStyle = colours.line;
    pen.lineWidth = 1;
    for (let x = left - (floor - ceiling); x < right; x += 7) {
        line(pen, x, floor, x + floor - ceiling, ceiling);
    }
    pen.restore();
}

function drawCap(pen, width, y, text) {
    pen.strokeStyle = colours.bad;
    pen.lineWidth = 1;
    pen.setLineDash([5, 4]);
    line(pen, 0, y, width, y);
    pen.setLineDash([]);
    pen.fillStyle = colours.bad;
    pen.textAlign = 'left';
    pen.fillText(text, 0, y + 12);
}

/** Marks what exceeds the upper edge, with its highest value. */
function drawClipped(pen, {lines, top, text}, span, width, ceiling) {
    let highest = 0, last = -Infinity;
    pen.fillStyle = colours.bad;
    for (const {path} of lines) {
        for (const [time, value] of path) {
            if (value === null || value <= top || time < span.from) continue;
            const x = span.x(time, width);
            highest = Math.max(highest, value);
            if (Math.abs(x - last) < 7) continue;
            last = x;
            pen.beginPath();
            pen.moveTo(x - 3.5, ceiling + 6);
            pen.lineTo(x, ceiling);
            pen.lineTo(x + 3.5, ceiling + 6);
            pen.fill();
        }
    }
    if (!highest) return;
    pen.textAlign = 'right';
    pen.fillText(`▲ up to ${text(highest)}`, width, ceiling - 3);
}

/** Draws a line; omits points less than a pixel apart, except the last one before a gap. */
function drawPath(pen, {path, colour, width: thickness = 1.5, area, step}, span, width, y, floor) {
    pen.beginPath();
    let from = null, lastX = null, lastY = null;
    const close = () => {
        if (from === null) return;
        // A single point between two gaps would be invisible.
        if (from === lastX) pen.arc(from, lastY, 1, 0, 2 * Math.PI);
        pen.stroke();
        if (area) {
            pen.lineTo(lastX, floor);
            pen.lineTo(from, floor);
            pen.globalAlpha *= .15;
            pen.fill();
            pen.globalAlpha /= .15;
        }
        pen.beginPath();
        from = null;
    };
    pen.lineWidth = thickness;
    pen.strokeStyle = pen.fillStyle = colours[colour];
    path.forEach(([time, value], index) => {
        if (value === null) return close();
        const x = Math.max(span.x(time, width), 0);
        const next = path[index + 1];
        // The last point before the left edge begins the line.
        if (time < span.from && (!next || next[1] === null || next[0] < span.from)) return;
        const isLast = !next || next[1] === null;
        if (from !== null && x - lastX < 1 && !isLast) return;
        if (from === null) {
            pen.moveTo(x, y(value));
        } else {
            if (step) pen.lineTo(x, lastY);
            pen.lineTo(x, y(value));
        }
        from ??= x;
        lastX = x;
        lastY = y(value);
    });
    close();
}

/** The charts of a pool. */
class PoolCharts {
    constructor(element) {
        this.element = element;
        this.outputs = Object.fromEntries(['memory', 'rate', 'queue', 'total', 'ready'].map(
            name => [name, element.querySelector(`.${name}-chart`)]));
    }

    /**
     * Draws everything from the history of the pool. `slots` are those whose workers have lines,
     * `pointed` is an incarnation to highlight.
     */
    draw(pool, history, span, slots, pointed) {
        this.pool = pool;
        this.history = history;
        this.span = span;
        this.drawMemory(slots, pointed);
        this.drawTotal();
        this.drawRate();
        this.drawQueue();
        this.drawReady();
    }

    /** The lines of the workers and of the largest one, scaled to the cap. */
    drawMemory(slots, pointed) {
        const lives = slots.flatMap(slot => this.history.slots.get(slot) ?? [])
            .filter(life => life.memory.length && life.memory.at(-1)[0] >= this.span.from);
        const cap = capOf(this.pool);
        const largest = this.history.path('largest');
        this.outputs.memory.hidden = this.outputs.total.hidden = !largest.length;
        const paths = lives.map(life => life.memory);
        const tops = [...paths, largest].map(path => highest(path, this.span));
        const top = cap ? cap * 1.15 : roomFor(withoutOutliers(tops), 2 ** 20);
        const isBeside = pointed ? .3 : 1;
        this.chart('memory', largest, {
            lines: [
                {path: largest, colour: 'largest', width: 3, alpha: .45 * isBeside},
                ...lives.map(life => ({path: life.memory, colour: 'memory',
                    alpha: life === pointed ? 1 : isBeside})),
            ],
            top, text: bytesText, cap, capText: `max-rss ${bytesText(cap)}`,
            marks: lives.filter(life => life.exit)
                .map(life => [life.end, life.memory.at(-1)[1], kindOfEnd(life.exit.cause)]),
        }, bytesText(this.history.series.at(-1).largest), ' largest worker');
        const figure = this.outputs.memory;
        figure.querySelector('.key-worker').hidden = !lives.length;
        figure.querySelector('.key-cap').hidden = !cap;
        figure.querySelector('.key-clipped').hidden = !tops.some(value => value > top);
        figure.querySelector('.key-gap').hidden =
            !gapsOf(largest, this.span.first, this.span.now).length;
        write(figure.querySelector('.growth'), poolGrowthText(this.pool));
    }

    drawTotal() {
        const path = this.history.path('bytes');
        this.chart('total', path, {
            lines: [{path, colour: 'memory', area: true}], text: bytesText,
            top: roomFor(highest(path, this.span), 2 ** 20),
        }, bytesText(this.history.series.at(-1).bytes), '');
    }

    drawRate() {
        const path = this.history.path('rate');
        const now = this.history.series.at(-1).rate;
        this.outputs.rate.hidden = !this.pool.listeners.length && !this.pool.totals.requests;
        const unit = unitOf(this.pool.slots);
        write(this.outputs.rate.querySelector('.rate-title'),
            `${unit[0].toUpperCase()}${unit.slice(1)} per second`);
        this.chart('rate', path, {
            lines: [{path, colour: 'rate', area: true}], text: brief,
            top: roomFor(highest(path, this.span), 10),
        }, now === null ? '' : brief(now), ` ${countText(this.pool.totals.requests)} total`);
    }

    drawQueue() {
        const path = this.history.path('queue');
        const listeners = this.pool.listeners.filter(({queue}) => queue !== undefined);
        this.outputs.queue.hidden = !this.pool.listeners.length;
        const top = roomFor(highest(path, this.span), 8);
        const limit = listeners.length === 1 ? listeners[0].queue_limit : undefined;
        // A limit far above the queue would flatten the chart; the caption shows it instead.
        const cap = limit < 2 * top ? limit : undefined;
        this.chart('queue', path, {
            lines: [{path, colour: 'queue', area: true}], text: brief,
            top: cap ? cap * 1.15 : top, cap, capText: `limit ${countText(limit)}`,
        }, countText(this.history.series.at(-1).queue ?? undefined),
        limit ? ` of ${countText(limit)}` : '');
    }

    /** Ready workers, and a mark for each interval with crashes among the known exits. */
    drawReady() {
        const path = this.history.path('ready');
        const wanted = this.history.path('workers');
        const top = Math.max(1, highest([...wanted, ...path], this.span));
        const crashes = [...this.history.slots.values()].flat()
            .filter(life => life.exit && kindOfEnd(life.exit.cause) === 'crash');
        const exits = exitsWithin(this.history.series, this.span);
        this.chart('ready', path, {
            lines: [
                {path: wanted, colour: 'soft', width: 1, step: true},
                {path, colour: 'ready', area: true, step: true},
            ], text: value => String(Math.floor(value)), top,
            marks: crashes.map(life => [life.end, top * .08, 'crash']),
        }, `${countText(this.pool.serving)} of ${countText(this.pool.workers)}`,
        exits === null ? '' : `, ${countText(exits)} exit${exits === 1 ? '' : 's'}`);
    }

    /** Draws one chart and its caption, with the times of `path` that have no data. */
    chart(name, path, chart, figure, rest) {
        const element = this.outputs[name];
        const output = element.querySelector('output');
        if (output.dataset.text !== figure + rest) {
            const small = document.createElement('small');
            small.textContent = rest;
            output.replaceChildren(figure, small);
            output.dataset.text = figure + rest;
        }
        const gaps = gapsOf(path, this.span.first, this.span.now);
        const moments = timeline.reloads.filter(at => at >= this.span.from);
        drawChart(element.querySelector('canvas'), this.span, {...chart, gaps, moments});
    }
}

/** The exits between the first and the last point of the time range; null without two points. */
function exitsWithin(series, span) {
    const shown = series.filter(({at}) => at >= span.from);
    return shown.length < 2 ? null : shown.at(-1).exits - shown[0].exits;
}

/** The cap of the newest workers: a reload may have changed it. */
function capOf(pool) {
    return pool.slots.filter(slot => slot.memory_limit_bytes)
        .reduce((one, other) => one?.generation > other.generation ? one : other, null)
        ?.memory_limit_bytes;
}

/** The highest value of a path in the time range. */
function highest(path, span) {
    let most = 0;
    for (const [time, value] of path) {
        if (time >= span.from && value > most) most = value;
    }
    return most;
}

/** The highest of these values that is at most three times their median. */
function withoutOutliers(values) {
    const sorted = values.filter(value => value > 0).sort((one, other) => one - other);
    const median = sorted[Math.floor((sorted.length - 1) / 2)] ?? 0;
    return sorted.findLast(value => value <= 3 * median) ?? 0;
}

/** A round height above a value. */
function roomFor(value, least) { return Math.max(value * 1.15, least); }
