import SuperviseCore

/// Short responses.
extension HTTPResponse {
    /// 202: the request was accepted.
    public static let accepted = HTTPResponse(
        .accepted, .json, Array("{\"accepted\":true}\n".utf8))

    /// 202: the workers of these slots are being replaced.
    public static func recycling(pool: String, slots: [Int]) -> HTTPResponse {
        var json = JSONWriter()
        json.object { json in
            json.field("accepted", true)
            json.field("pool", pool)
            json.array("slots") { json in for slot in slots { json.element(slot) } }
        }
        return HTTPResponse(.accepted, .json, json.bytes + [0x0A])
    }

    /// 202: a run of the pool starts, or waits for the end of the last one.
    public static func running(pool: String, isQueued: Bool) -> HTTPResponse {
        var json = JSONWriter()
        json.object { json in
            json.field("accepted", true)
            json.field("pool", pool)
            json.field("queued", isQueued)
        }
        return HTTPResponse(.accepted, .json, json.bytes + [0x0A])
    }

    /// 200: the number of workers before and now. `bounds` are those of an elastic pool. `caps` are the memory caps in bytes, if they are
    /// percentages.
    public static func scaled(
        pool: String, from: Int, to: Int, bounds: WorkerBounds? = nil,
        caps: MemoryCapBytes? = nil
    ) -> HTTPResponse {
        var json = JSONWriter()
        json.object { json in
            json.field("pool", pool)
            json.field("from", from)
            json.field("to", to)
            json.field("min_workers", bounds?.minimum)
            json.field("max_workers", bounds?.maximum)
            json.field("max_rss_bytes", caps?.soft)
            json.field("kill_rss_bytes", caps?.hard)
        }
        return HTTPResponse(.ok, .json, json.bytes + [0x0A])
    }

    /// 200 with a body.
    public static func ok(_ content: Content, _ body: [UInt8]) -> HTTPResponse {
        HTTPResponse(.ok, content, body)
    }
}

extension StatusReport {
    /// The response to `/` for clients that do not accept HTML, such as curl.
    public static let index = HTTPResponse(
        .ok, .text,
        Array("supervise: see /status, /metrics, /healthz, /readyz and /events\n".utf8))
}
