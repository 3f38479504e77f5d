extension String {
    /// The text with each of these characters as what is to stand for it.
    public func substituting(_ texts: [Character: String]) -> String {
        reduce(into: "") { $0 += texts[$1] ?? String($1) }
    }
}
