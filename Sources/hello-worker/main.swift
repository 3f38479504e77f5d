import Glibc
import SuperviseWorker

// A small web server: an example of a worker, also used by the tests:
//
//     supervise --bind 127.0.0.1:8000 --workers 2 --max-requests 1000 -- hello-worker
//
// Without a supervisor it listens on 127.0.0.1:$PORT (8000).

let options = Options()
let worker = Worker.current
var listeners = worker.listeners
if listeners.isEmpty {
    guard let descriptor = listen(port: options.port) else {
        perror("hello-worker: cannot listen on 127.0.0.1:\(options.port)")
        exit(1)
    }
    listeners = [descriptor]
}
// While booting, the signal terminates the process; while serving, it asks it to finish.
usleep(options.bootMilliseconds * 1000)
if options.ignoresStop {
    signal(SIGTERM, SIG_IGN)
} else {
    worker.catchStopSignal()
}
if !worker.isSupervised { worker.catchStopSignal(SIGINT) }
var server = Server(worker: worker, listeners: listeners, options: options)
if options.announcesReady { worker.ready() }
server.run()

/// A listening TCP socket on the loopback address, or nil with errno set.
func listen(port: UInt16) -> Int32? {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
    guard descriptor >= 0 else { return nil }
    var yes: Int32 = 1
    setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &yes, socklen_t(MemoryLayout<Int32>.size))
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    let bound = withUnsafePointer(to: address) { pointer in
        pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
            bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
        }
    }
    guard bound == 0, Glibc.listen(descriptor, 512) == 0 else { return nil }
    return descriptor
}
