// A request of 20 ms, or of 3 s.
const fs = require('fs');
require('http').createServer((request, response) => {
    const isSlow = request.url === '/slow';
    if (isSlow) fs.writeFileSync(process.env.STAND_IN_FOLDER + '/begun', 'x');
    setTimeout(() => response.end(String(process.pid)), isSlow ? 3000 : 20);
}).listen(Number(process.argv[2]), '127.0.0.1');
