// A request of 20 ms, or one that is answered when there is a file that says so.
const fs = require('fs');
const folder = process.env.STAND_IN_FOLDER;
require('http').createServer((request, response) => {
    const isSlow = request.url === '/slow';
    if (isSlow) fs.writeFileSync(folder + '/begun', '');
    const answer = () => isSlow && !fs.existsSync(folder + '/go')
        ? setTimeout(answer, 20) : response.end(String(process.pid));
    setTimeout(answer, 20);
}).listen(Number(process.argv[2]), '127.0.0.1');
