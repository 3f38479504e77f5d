/* The loop that polls `/status`, and the head of the page. */

const views = new Map();        // pool -> its view
let shownSeconds = 120;
let master = null;              // from the last status
let lostAt = null;              // when it stopped responding

/** Formats a time of the master in local time. */
function clockText(seconds) {
    return new Date((master.started_at_seconds + seconds) * 1000).toLocaleTimeString();
}

/** Applies a status. */
function takeStatus(status) {
    if (status.schema !== 'supervise-status' || status.version !== 2) {
        throw new Error('the master has another version; reload this page');
    }
    const isAnother = master && (master.pid !== status.master.pid
        || master.started_at_seconds !== status.master.started_at_seconds);
    if (isAnother) {
        for (const view of views.values()) view.element.remove();
        views.clear();
    }
    master = status.master;
    // A removed pool may coexist with a new one of the same name.
    const keys = status.pools.map(
        pool => pool.state === 'removed' ? `-${pool.name}` : pool.name);
    for (const [key, view] of views) {
        if (keys.includes(key)) continue;
        view.element.remove();
        views.delete(key);
    }
    status.pools.forEach((pool, index) => {
        if (!views.has(keys[index])) {
            const view = new PoolView(pool.name);
            views.set(keys[index], view);
            document.querySelector('main').append(view.element);
        }
        views.get(keys[index]).take(pool, master.uptime_seconds);
    });
    drawReload(status.reload);
}

function drawReload(reload) {
    byID('reload').hidden = !reload;
    if (reload) write(byID('reload'), ...reloadText(reload));
}

function drawHead() {
    const isLost = lostAt !== null;
    document.body.classList.toggle('lost', isLost);
    const [word, kind] = isLost ? ['no response', 'bad'] : !master ? ['connecting', '']
        : master.state !== 'running' ? [master.state, '']
        : master.ready ? ['ready', 'good'] : ['not ready', 'bad'];
    write(byID('state'), word, `badge ${kind}`);
    if (master) {
        write(byID('name'), master.name);
        write(byID('facts'), [
            `generation ${master.generation}`, `up ${secondsText(master.uptime_seconds)}`,
            `pid ${master.pid}`, `supervise ${master.version}`,
            bytesText(master.memory_bytes),
        ].join(' · '));
    }
    document.title = `${word} · ${master?.name ?? 'supervise'}`;
    drawIcon(kind);
}

/** Draws the icon of the tab in the colour of the state. */
function drawIcon(kind) {
    const icon = document.querySelector('link[rel=icon]');
    if (icon.dataset.kind === kind) return;
    icon.dataset.kind = kind;
    const canvas = document.createElement('canvas');
    canvas.width = canvas.height = 32;
    const pen = canvas.getContext('2d');
    pen.fillStyle = getComputedStyle(document.documentElement)
        .getPropertyValue('--' + (kind || 'boot'));
    pen.beginPath();
    pen.arc(16, 16, 13, 0, 2 * Math.PI);
    pen.fill();
    icon.href = canvas.toDataURL();
}

function drawAll() {
    readColours();
    drawHead();
    for (const view of views.values()) view.draw();
}

/** Shows since when there is no response, and the reason. */
function reportLoss(error) {
    lostAt ??= new Date();
    const reason = error.name === 'TypeError' ? 'the master is unreachable'
        : error.name === 'TimeoutError' ? 'the request timed out' : error.message;
    write(byID('alarm'), `No response since ${lostAt.toLocaleTimeString()}: ${reason}. `
        + (master ? 'The data below is older. ' : '')
        + 'Retrying every two seconds.');
}

async function fetchStatus() {
    const response = await fetch(
        'status', {cache: 'no-store', signal: AbortSignal.timeout(5000)});
    if (!response.ok) throw new Error(`the master responds with status ${response.status}`);
    return response.json();
}

/** Polls and draws. It takes at most a quarter of the time. */
async function poll() {
    const begun = performance.now();
    try {
        takeStatus(await fetchStatus());
        lostAt = null;
    } catch (error) {
        reportLoss(error);
    }
    byID('alarm').hidden = lostAt === null;
    drawAll();
    const took = performance.now() - begun;
    const pause = lostAt ? 2000 : document.hidden ? 5000 : 1000 - took;
    setTimeout(poll, Math.max(pause, 3 * took));
}

function choose(seconds) {
    shownSeconds = seconds;
    for (const button of document.querySelectorAll('nav button')) {
        button.setAttribute('aria-pressed', Number(button.dataset.span) === seconds);
    }
    for (const view of views.values()) view.draw();
}

for (const button of document.querySelectorAll('nav button')) {
    button.onclick = () => choose(Number(button.dataset.span));
}
matchMedia('(prefers-color-scheme: dark)').onchange = drawAll;
addEventListener('resize', drawAll);
choose(shownSeconds);
poll();
