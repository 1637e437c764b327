//! PDF signing engine: revisions, CMS, time stamps, verification; bytes in, bytes out.
