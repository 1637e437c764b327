"""Foreign judges: other people's validators asked about PDFs that Trình Ký released.

Each judge is one module with one function `judge(case) -> Finding`. A judge knows nothing of our code: it sees the
released file, the trust anchors, and optionally the earlier revisions and the input it grew from. No judge may use the
network; revocation data come from the document's own security store.
"""
