import SuperviseControl

/// Arbitrary bytes as requests: they yield the same requests and the same error however they are
/// split, and each request is valid or is rejected with a response.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzRequest(_ data: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
    guard count > 0 else { return 0 }
    let input = Array(UnsafeBufferPointer(start: data, count: count))
    let bytes = input.dropFirst()
    let whole = requests(in: bytes, by: bytes.count + 1)
    let cut = requests(in: bytes, by: Int(input[0]) + 1)
    precondition(whole.requests == cut.requests && whole.fault == cut.fault, "cuts matter")
    for request in whole.requests {
        for access in [ControlAccess.full, .readOnly] {
            switch ControlRoute.request(for: request, access: access) {
            case .success(let asked):
                precondition(access == .full || isLooking(asked), "\(asked) changes something")
            case .failure(let refusal):
                precondition(refusal.response.status.code >= 400 && !refusal.message.isEmpty)
            }
        }
    }
    return 0
}

private func requests(
    in bytes: ArraySlice<UInt8>, by size: Int
) -> (requests: [HTTPRequest], fault: HTTPFault?) {
    var parser = HTTPRequestParser()
    var found: [HTTPRequest] = []
    var rest = bytes
    do throws(HTTPFault) {
        while !rest.isEmpty {
            parser.append(rest.prefix(size))
            rest = rest.dropFirst(size)
            while let request = try parser.next() { found.append(request) }
        }
        return (found, nil)
    } catch {
        return (found, error)
    }
}

private func isLooking(_ request: ControlRequest) -> Bool {
    switch request {
    case .page, .status, .metrics, .history, .leaks, .health, .readiness, .events: true
    case .reload, .recycle, .scale, .runNow, .hunt, .stop, .reopen, .upgrade: false
    }
}
