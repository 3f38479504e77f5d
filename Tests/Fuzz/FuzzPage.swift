import Glibc
import SuperviseLinux
import SuperviseWorker

private let nonce = "0123456789abcdef0123456789abcdef"
private let file = memfd()

private func memfd() -> Int32 {
    let file = tmpfile()
    return fileno(file)
}

/// Arbitrary bytes as the request page, of any size: the worker library either counts in it or
/// ignores it, and the master reads any number.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzPage(_ data: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
    precondition(ftruncate(file, 0) == 0 && pwrite(file, data, count, 0) == count)
    if count > 0, data?[0] == UInt8(ascii: "S") {
        precondition(ftruncate(file, 4096) == 0)
    }
    let worker = Worker { name in
        switch name {
        case "SUPERVISE_WORKER_PAGE": String(file)
        case "SUPERVISE_WORKER_ID": nonce
        default: nil
        }
    }
    let before = worker.requestsCounted
    worker.countRequest(3)
    precondition(worker.requestsCounted == before.map { $0 &+ 3 })

    let copy = dup(file)
    precondition(copy >= 0)
    let page = RequestPage(resuming: FileDescriptor(owning: copy))
    precondition((page.requests() == nil) == (count < 72 && data?[0] != UInt8(ascii: "S")))
    return 0
}
