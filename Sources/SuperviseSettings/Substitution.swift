extension String {
    /// Replaces each of these characters by a text.
    public func substituting(_ texts: [Character: String]) -> String {
        reduce(into: "") { $0 += texts[$1] ?? String($1) }
    }
}
