import SuperviseControl
import SuperviseCore

/// An arbitrary client: which bytes it sends, when it reads how many bytes of the responses, and
/// when it shuts down its side. The conversation keeps its bounds, always has a deadline, and ends.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzConversation(_ data: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
    var input = Array(UnsafeBufferPointer(start: data, count: count))[...]
    var now = Instant(nanoseconds: 0)
    var conversation = HTTPConversation(at: now)
    let body = [UInt8](repeating: 0x2E, count: 3000)

    while let step = input.popFirst(), !conversation.isOver {
        let amount = Int(step >> 3)
        switch step & 7 {
        case 0, 1, 2:
            guard conversation.wantsInput else { continue }
            conversation.receive(Array(input.prefix(amount)), at: now)
            input = input.dropFirst(amount)
        case 3:
            let taken = min(amount * 100, conversation.outputBytes)
            conversation.sent(taken, at: now)
        case 4:
            now = now + .seconds(Int64(amount))
            if conversation.deadline <= now { conversation.end() }
        case 5: conversation.stream(body, at: now) { _ in [0x21] }
        case 6: conversation.endStream(at: now)
        default: if amount > 24 { conversation.endOfInput() }
        }
        answer(&conversation, at: now)
        check(conversation, at: now)
    }
    // An idle client is soon disconnected, unless it follows a stream.
    for _ in 0..<8 where !conversation.isOver && !conversation.isStreaming {
        now = max(now, conversation.deadline)
        conversation.end()
    }
    precondition(conversation.isOver || conversation.isStreaming)
    return 0
}

private func answer(_ conversation: inout HTTPConversation, at now: Instant) {
    while let request = conversation.nextRequest(at: now) {
        switch ControlRoute.request(for: request, access: .full) {
        case .success(.events(follow: true)): conversation.beginStream(.lines, at: now)
        case .success: conversation.answer(StatusReport.health, at: now)
        case .failure(let refusal): conversation.answer(refusal.response, at: now)
        }
    }
}

private func check(_ conversation: HTTPConversation, at now: Instant) {
    precondition(
        conversation.outputBytes <= HTTPConversation.longestStreamBacklog + 1024,
        "\(conversation.outputBytes) bytes wait")
    guard !conversation.isOver else { return }
    precondition(
        conversation.wantsInput || conversation.outputBytes > 0 || conversation.isLeaving,
        "nothing can move it")
    let isQuietStream = conversation.isStreaming && conversation.outputBytes == 0
    precondition(
        isQuietStream || conversation.deadline <= now + HTTPConversation.idleTime,
        "it may stand still for ever")
}
