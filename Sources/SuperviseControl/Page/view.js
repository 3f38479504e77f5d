/* The elements of the page. Text is inserted only as text, never as markup. */

/** The number of lanes that a pool shows at a time. */
const maxLanes = 24;
/** The number of exits listed. */
const maxExits = 8;

const byID = id => document.getElementById(id);

/** Updates a text only if it changed, which avoids a new layout. */
function write(element, text, className) {
    if (element.textContent !== text) element.textContent = text;
    if (className !== undefined && element.className !== className) {
        element.className = className;
    }
}

/** The view of one pool. */
class PoolView {
    history = new PoolHistory();
    lanes = [];
    first = 0;                  // index of the first slot shown
    columns = 1;                // of the overview
    isVisible = true;
    pointed = null;             // the incarnation at the pointer

    constructor(name) {
        this.element = byID('pool-pattern').content.firstElementChild.cloneNode(true);
        this.element.dataset.pool = name;
        write(this.find('h2'), name);
        this.find('.back').onclick = () => this.show(this.first - maxLanes);
        this.find('.on').onclick = () => this.show(this.first + maxLanes);
        this.find('.overview').onclick = event => {
            const index = squareAt(event, this.columns);
            this.show(index - index % maxLanes);
        };
        new IntersectionObserver(([entry]) => {
            this.isVisible = entry.isIntersecting;
            this.draw();
        }).observe(this.element);
    }

    find(selector) { return this.element.querySelector(selector); }

    /** Shows the page of lanes that contains this one. */
    show(first) {
        const last = Math.floor((this.slots.length - 1) / maxLanes) * maxLanes;
        this.first = Math.max(0, Math.min(first, last));
        this.draw();
    }

    take(pool, now) {
        this.pool = pool;
        this.now = now;
        this.bySlot = Map.groupBy(pool.slots, entry => entry.slot);
        this.history.take(
            pool, now, slot => this.shownSlots?.has(slot) ?? slot < maxLanes);
    }

    /** The current slots, and those that existed in the time range. */
    get slots() {
        const recent = [...this.history.slots].filter(([slot, lives]) =>
            !this.bySlot.has(slot) && lives.at(-1).end > this.now - shownSeconds);
        return [...this.bySlot.keys(), ...recent.map(([slot]) => slot)]
            .sort((one, other) => one - other);
    }

    draw() {
        if (!this.pool || !this.isVisible) return;
        const slots = this.slots;
        if (this.first >= slots.length) this.first = 0;
        const shown = slots.slice(this.first, this.first + maxLanes);
        this.shownSlots = new Set(shown);
        this.span = new Span(this.now, shownSeconds);
        this.drawHead();
        this.drawOverview(slots, shown);
        this.drawLanes(shown);
        this.drawCharts(shown);
        this.drawExits();
    }

    drawHead() {
        const {serving, workers, state, ready, listeners, runs} = this.pool;
        if (runs) {
            const isBad = runs.last && !['success', 'stopped'].includes(runs.last.outcome);
            write(this.find('.pool-state'),
                runsText(runs) + (state === 'running' ? '' : `, ${state}`),
                'pool-state' + (isBad ? ' bad' : ''));
            write(this.find('.listeners'), '');
            return;
        }
        const surplus = serving - workers;
        const extra = surplus > 0
            ? ` (+${surplus} replacement${surplus === 1 ? '' : 's'})` : '';
        const {min_workers: least, max_workers: most, scale_blocked: block} = this.pool;
        const bounds = most === undefined
            ? '' : ` (${least}..${most}${block ? `, more blocked by ${block}` : ''})`;
        write(this.find('.pool-state'),
            `${countText(Math.min(serving, workers))} of ${countText(workers)} ready${extra}${bounds}`
            + (state === 'running' ? '' : `, ${state}`),
            'pool-state' + (ready ? '' : ' bad'));
        const addresses = listeners.map(({address, queue}) =>
            address + (queue ? ` (${countText(queue)} waiting)` : ''));
        write(this.find('.listeners'), addresses.join(', '));
        const molds = this.pool.molds ?? [];
        this.find('.molds').hidden = !molds.length;
        write(this.find('.molds'), molds.map(moldText).join('; '));
    }

    drawOverview(slots, shown) {
        this.find('.crowd').hidden = slots.length <= maxLanes;
        if (slots.length <= maxLanes) return;
        write(this.find('.shown'), `Lanes and memory of slots ${shown[0]} to `
            + `${shown.at(-1)}, of ${countText(slots.length)} slots; `
            + 'to select others, click a square. Memory is recorded once a lane is shown.');
        this.find('.back').disabled = this.first === 0;
        this.find('.on').disabled = this.first + maxLanes >= slots.length;
        const states = slots.map(slot =>
            this.bySlot.has(slot) ? stateOf(this.bySlot.get(slot)[0])[1] : '');
        this.columns = drawOverview(this.find('.overview'), states,
            index => index >= this.first && index < this.first + maxLanes);
    }

    drawLanes(shown) {
        while (this.lanes.length < shown.length) this.addLane();
        this.lanes.forEach((lane, index) => {
            lane.element.hidden = index >= shown.length;
            if (index < shown.length) this.drawLane(lane, shown[index]);
        });
        drawAxis(this.find('.head .track'), this.span);
    }

    addLane() {
        const element = byID('lane-pattern').content.firstElementChild.cloneNode(true);
        const lane = {element, lives: []};
        for (const cell of element.children) lane[cell.classList[0]] = cell;
        const point = event => {
            this.pointed = lifeAt(lane.track, event, lane.lives, this.span);
            this.drawPointed();
        };
        lane.track.onpointermove = lane.track.onpointerdown = point;
        lane.track.onpointerleave = () => {
            this.pointed = null;
            this.drawPointed();
        };
        this.lanes.push(lane);
        this.find('.lanes').append(element);
    }

    /** Describes the incarnation at the pointer, and highlights its memory. */
    drawPointed() {
        const life = this.pointed;
        write(this.find('.readout'), life ? lifeText(life, this.now, clockText) : '');
        this.drawMemory([...this.shownSlots]);
    }

    drawLane(lane, slot) {
        const all = this.bySlot.get(slot) ?? [];
        // The incumbent comes first, then its replacement and retiring workers.
        const [entry, ...others] = all;
        const [words, kind] = entry ? stateOf(entry) : ['removed', ''];
        const beside = others.map(other => `, ${other.pid ?? '?'} ${stateOf(other)[0]}`);
        lane.lives = this.history.slots.get(slot) ?? [];
        lane.element.dataset.slot = slot;
        lane.element.dataset.state = entry?.state ?? 'gone';
        write(lane.slot, String(slot));
        write(lane.pid, entry?.pid === undefined ? '' : String(entry.pid));
        const now = entry?.current ? `, ${requestText(entry.current)}` : '';
        const text = words + now + beside.join('');
        write(lane.state, text, `state ${kind}`);
        lane.state.title = [text, entry?.status ?? ''].join('\n').trim();
        write(lane.age, secondsText(entry?.age_seconds));
        write(lane.requests, countText(entry?.requests));
        const cap = entry?.memory_limit_bytes;
        const share = cap ? ` / ${bytesText(cap)}` : '';
        write(lane.memory, bytesText(entry?.memory_bytes) + share);
        lane.memory.title = entry?.own_bytes === undefined ? ''
            : `own ${bytesText(entry.own_bytes)}, shared ${bytesText(entry.shared_bytes)}`;
        drawLane(lane.track, lane.lives, this.span);
    }

    drawCharts(shown) {
        const series = this.history.series;
        const now = series.at(-1);
        this.drawMemory(shown);
        const rates = series.map(({at, rate}) => [at, rate]);
        this.chart('rate', {
            paths: [rates], colour: 'rate', area: true, text: brief,
            top: roomFor(this.highest(rates), 10),
        }, now.rate === null ? '' : brief(now.rate),
        ` ${countText(this.pool.totals.requests)} total`);
        const unit = unitOf(this.pool.slots);
        write(this.find('.rate-title'), `${unit[0].toUpperCase()}${unit.slice(1)} per second`);
        // The column is narrow.
        write(this.find('.head .requests'), unit.replace('connections', 'conns'));
        this.find('.queue-chart').hidden = !this.pool.listeners.length;
        this.find('.rate-chart').hidden =
            !this.pool.listeners.length && !this.pool.totals.requests;
        const queue = series.map(({at, queue}) => [at, queue]);
        const top = roomFor(this.highest(queue), 8);
        const limit = fullest(this.pool.listeners)?.queue_limit;
        this.chart('queue', {
            paths: [queue], colour: 'queue', area: true, text: brief,
            // A limit far above the queue would flatten the chart; the caption shows it instead.
            top: limit < 2 * top ? limit * 1.15 : top,
            cap: limit < 2 * top ? limit : undefined, capText: `limit ${countText(limit)}`,
        }, countText(now.queue ?? undefined), limit ? ` of ${countText(limit)}` : '');
    }

    drawMemory(shown) {
        const lives = shown.flatMap(slot => this.history.slots.get(slot) ?? [])
            .filter(life => life.memory.length && life.memory.at(-1)[0] >= this.span.from);
        // A reload may have changed the cap: use that of the newest workers.
        const newest = this.pool.slots.filter(slot => slot.memory_limit_bytes)
            .reduce((one, other) => one?.generation > other.generation ? one : other, null);
        const cap = newest?.memory_limit_bytes;
        const paths = lives.map(life => life.memory);
        const highest = Math.max(cap ?? 0, ...paths.map(path => this.highest(path)));
        this.chart('memory', {
            paths, colour: 'memory', top: roomFor(highest, 2 ** 20), text: bytesText,
            bold: this.pointed?.memory, cap, capText: `max-rss ${bytesText(cap)}`,
            marks: lives.filter(life => life.exit)
                .map(life => [life.end, life.memory.at(-1)[1], kindOfEnd(life.exit.cause)]),
        }, bytesText(this.history.series.at(-1).bytes), ' total');
    }

    chart(name, chart, figure, rest) {
        const output = this.find(`.${name}-chart output`);
        if (output.dataset.text !== figure + rest) {
            const small = document.createElement('small');
            small.textContent = rest;
            output.replaceChildren(figure, small);
            output.dataset.text = figure + rest;
        }
        drawChart(this.find(`.${name}-chart canvas`), this.span, chart);
    }

    /** The highest value of a path in the time range. */
    highest(path) {
        let most = 0;
        for (const [time, value] of path) {
            if (time >= this.span.from && value > most) most = value;
        }
        return most;
    }

    drawExits() {
        const counts = Object.entries(this.pool.totals.exits);
        const parts = counts.map(([cause, count]) => `${countText(count)} ${cause}`);
        write(this.find('.totals'), parts.join(', ') || 'none yet');
        const rows = this.pool.exits.slice(0, maxExits).map(exit => [
            secondsText(exit.ago_seconds), String(exit.slot), String(exit.pid ?? ''),
            exit.cause, endText(exit), secondsText(exit.age_seconds),
            countText(exit.requests), bytesText(exit.memory_bytes), String(exit.generation),
        ]);
        this.find('table').hidden = !rows.length;
        write(this.find('.exit-unit'), unitOf(this.pool.exits.slice(0, maxExits)));
        const body = this.find('tbody');
        while (body.rows.length > rows.length) body.deleteRow(-1);
        rows.forEach((texts, index) => {
            const row = body.rows[index] ?? body.insertRow();
            texts.forEach((text, column) => {
                const isOptional = [5, 6, 8].includes(column);
                const cell = row.cells[column] ?? row.insertCell();
                write(cell, text, isOptional ? 'optional' : '');
            });
            const kind = kindOfEnd(this.pool.exits[index].cause);
            row.cells[3].classList.toggle('bad', kind === 'crash');
        });
        const failed = this.pool.exits.slice(0, maxExits).find(exit => exit.output);
        this.find('.final').hidden = !failed;
        if (failed) {
            const title = `Final output of slot ${failed.slot}, pid ${failed.pid ?? '?'}:`;
            write(this.find('.final'), `${title}\n${failed.output.join('\n')}`);
        }
    }
}

/** A round height above a value. */
function roomFor(value, least) { return Math.max(value * 1.15, least); }
