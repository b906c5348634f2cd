"""
The store that keeps each page of a database once, however many backups have it.

    OWNER/backup-DATABASE-TIME.pages   a backup: which pages, in which order (`roots`)
    pages/pack/HASH                    pages, many together (`packs`)
    pages/index/HASH                   where each page lies, for some packs (`catalog`)
    pages/mark/HASH                    packs that are to go (`collecting`)
    pages/key/NUMBER                   the secret that ids are made with (`keys`)

A backup is the first of these, which is written last: what a crash leaves is no backup, and its
packs serve the next one. docs/store-format.md is enough to write a reader from.
"""
