//! Files and folders: the only way by which the API reaches them. Each call may block, and is made
//! on a thread of the blocking pool, apart from what `shinkan_sys::files` says is done at once, and
//! [`read_cached`].
//! A ring, and the disks of a simulation, will answer here.

pub use shinkan_sys::cached::{Uncached, read_cached};
pub use shinkan_sys::files::{
    DirBuilder, OpenOptions, canonicalize, copy, create_dir, create_dir_all, duplicate,
    entry_metadata, entry_type, file_metadata, hard_link, is_cached, make_dir, metadata,
    next_entry, open, read_at_once, read_dir, read_link, read_some, remove_dir, remove_dir_all,
    remove_file, rename, seek, set_file_permissions, set_len, set_permissions, set_times, symlink,
    symlink_metadata, sync_all, sync_data, try_exists, write, write_all,
};
