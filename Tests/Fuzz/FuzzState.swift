import SuperviseCore
import SuperviseState

/// Arbitrary bytes as the state of a service: they are rejected, or decode to a state that encodes
/// to an equal one.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzState(_ data: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
    let bytes = Array(UnsafeBufferPointer(start: data, count: count))
    let service: Service
    do {
        service = try State.decode(Service.self, from: bytes)
    } catch {
        return 0
    }
    do {
        let copy = try State.decode(Service.self, from: State.encode(service))
        // A state that contains NaN does not equal itself.
        precondition(copy == service || service != service, "a state does not come back as it was")
    } catch {
        preconditionFailure("a state that was read cannot be written: \(error)")
    }
    return 0
}
