/* The loop that polls `/status`, and the head of the page. */

const views = new Map();        // pool -> its view
let shownSeconds = 120;
let master = null;              // as it was last told
let lostAt = null;              // when it stopped answering

/** A time of the master's, on the clock on the wall here. */
function clockText(seconds) {
    return new Date((master.started_at_seconds + seconds) * 1000).toLocaleTimeString();
}

/** Takes in a whole answer. */
function takeStatus(status) {
    if (status.schema !== 'supervise-status' || status.version !== 1) {
        throw new Error('the master speaks another version; load this page again');
    }
    const isAnother = master && (master.pid !== status.master.pid
        || master.started_at_seconds !== status.master.started_at_seconds);
    if (isAnother) {
        for (const view of views.values()) view.element.remove();
        views.clear();
    }
    master = status.master;
    // One that a reload removed may end beside a new one of its name.
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
    const [word, kind] = isLost ? ['no answer', 'bad'] : !master ? ['asking', '']
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

/** The tab's icon has the state's colour. */
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

/** Says since when there was no answer, and why. */
function tellLoss(error) {
    lostAt ??= new Date();
    const reason = error.name === 'TypeError' ? 'it cannot be reached'
        : error.name === 'TimeoutError' ? 'it is silent' : error.message;
    write(byID('alarm'), `No answer since ${lostAt.toLocaleTimeString()}: ${reason}. `
        + (master ? 'What is below is from before. ' : '')
        + 'Trying again every two seconds.');
}

async function ask() {
    const answer = await fetch(
        'status', {cache: 'no-store', signal: AbortSignal.timeout(5000)});
    if (!answer.ok) throw new Error(`it answers with ${answer.status}`);
    return answer.json();
}

/** Asks, draws, and comes again: at most a quarter of the time goes into it. */
async function look() {
    const begun = performance.now();
    try {
        takeStatus(await ask());
        lostAt = null;
    } catch (error) {
        tellLoss(error);
    }
    byID('alarm').hidden = lostAt === null;
    drawAll();
    const took = performance.now() - begun;
    const pause = lostAt ? 2000 : document.hidden ? 5000 : 1000 - took;
    setTimeout(look, Math.max(pause, 3 * took));
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
look();
