import Glibc
import SuperviseWorker

/// The responses of the server.
struct Application {
    let worker: Worker
    private var requests = 0
    private var leaked: [[UInt8]] = []

    init(worker: Worker) {
        self.worker = worker
    }

    /// The response, and its delay in milliseconds.
    mutating func respond(
        to request: Request, open: Int, isDraining: Bool
    ) -> (Response, delay: Int64) {
        requests += 1
        switch request.path {
        case "/":
            return (Response(body: greeting), 0)
        case "/slow":
            return (Response(body: greeting), Int64(request.number("ms", default: 1000)))
        case "/leak":
            // Written to, so that the pages become resident.
            leaked.append([UInt8](repeating: 1, count: request.number("kb", default: 1024) * 1024))
            return (Response(body: greeting), 0)
        case "/status":
            return (status(open: open, isDraining: isDraining), 0)
        case "/hold":
            worker.hold(seconds: request.number("seconds", default: 30))
            return (Response(body: greeting), 0)
        case "/recycle":
            worker.recycle()
            return (Response(body: greeting), 0)
        case "/exit":
            exit(Int32(clamping: request.number("status", default: 0)))
        case "/crash":
            abort()
        default:
            return (Response(status: 404, body: "no such page\n"), 0)
        }
    }

    private var greeting: String {
        let slot = worker.slot.map { "\($0)" } ?? "-"
        let generation = worker.generation.map { "\($0)" } ?? "-"
        return "hello from pid \(getpid()), slot \(slot), generation \(generation), "
            + "request \(requests)\n"
    }

    private func status(open: Int, isDraining: Bool) -> Response {
        func json(_ number: (some BinaryInteger)?) -> String { number.map { "\($0)" } ?? "null" }
        let body = """
            {"pid": \(getpid()), "slot": \(json(worker.slot)), \
            "generation": \(json(worker.generation)), "requests": \(requests), \
            "counted": \(json(worker.requestsCounted)), "limit": \(json(worker.requestLimit)), \
            "open": \(open), "draining": \(isDraining)}\n
            """
        return Response(type: "application/json", body: body)
    }
}
