import SuperviseLinux

/// Any message of a mold: parsing keeps a bounded and printable part of it.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzMold(_ data: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
    let bytes = Array(UnsafeBufferPointer(start: data, count: count))
    switch MoldMessage.parse(bytes) {
    case .ready, .here: break
    case .failed(let step, let message):
        check(step)
        check(message)
    case .unknown(let text): check(text)
    }
    return 0
}

private func check(_ text: String) {
    precondition(text.unicodeScalars.count <= 300, "a text is too long")
    precondition(
        text.unicodeScalars.allSatisfy { $0.properties.generalCategory != .control },
        "a text has a control character")
}
