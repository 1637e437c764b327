//! What every signer's device shares: inbox, review, digest, consent, detached CMS.
