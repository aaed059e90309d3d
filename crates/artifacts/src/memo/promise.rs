//! On which file systems `stat` tells that a file has not changed.
//!
//! A digest may be remembered where an inode number belongs to one file for as long as that file
//! exists, and where the kernel or the server sets the time of status change by its own clock at
//! every change. Elsewhere inode numbers are handed out as files are looked at (FUSE: sshfs, rclone,
//! `gocryptfs`; exFAT, FAT), the time of change is what an image or a program claims (squashfs,
//! erofs, ISO 9660, FUSE), or it is that of modification (FAT, many CIFS and 9p servers), and a file
//! is read whenever its digest is asked for. So it is with every file system that is not listed.

/// A file system, as `statfs` describes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct FileSystem {
    /// Its type, `f_type`.
    pub(super) magic: u32,
    /// Which one of that type, `f_fsid`; 0 where it has no such number.
    pub(super) id: u64,
}

/// When `stat` is to be believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Promise {
    /// Always.
    Always,
    /// Once the file has been opened.
    Opened,
}

/// The file systems whose promises are known, by the numbers of `linux/magic.h`.
///
/// Left out on purpose: overlayfs (0x794c7630), which keeps times of change but whose inode and
/// device numbers may be given to other files at the next mount, and whose lower layers may be images
/// with times of their own making; CIFS and SMB (0xff534d42, 0xfe534d42), 9p (0x01021997) and FUSE
/// (0x65735546), where it depends on who answers; Lustre, GPFS, `BeeGFS` and `CephFS`, which nobody has
/// tried yet.
const KNOWN: [(u32, Promise); 9] = [
    // ext2, ext3, ext4: `f_fsid` is made of the UUID. Old inodes count whole seconds, for which the
    // margin of two seconds is enough.
    (0xef53, Promise::Always),
    // XFS.
    (0x5846_5342, Promise::Always),
    // Btrfs: inode numbers are per subvolume, and so is `f_fsid`; a snapshot has the contents of its
    // times of change.
    (0x9123_683e, Promise::Always),
    // ZFS; a rollback takes times of change back together with the contents.
    (0x2fc1_2fc1, Promise::Always),
    // F2FS.
    (0xf2f5_2010, Promise::Always),
    // bcachefs.
    (0xca45_1a4e, Promise::Always),
    // tmpfs: gone at the next mount, and times of change are those of the kernel's clock.
    (0x0102_1994, Promise::Always),
    // ramfs, as tmpfs.
    (0x8584_58f6, Promise::Always),
    // NFS: file numbers and times of change are the server's and last, but a client may answer `stat`
    // from memory for up to a minute. It has to ask the server whenever a file is opened.
    (0x6969, Promise::Opened),
];

/// Devices of this major number are images mounted by loop: the next image gets the number of the
/// last, and where the file system's number is made of the device's (XFS, F2FS), that one too.
const LOOP: u32 = 7;

/// When `stat` is to be believed of a file on this device; `None` for never.
pub(super) fn promise(file_system: FileSystem, major: u32) -> Option<Promise> {
    let known = KNOWN.iter().find(|(magic, _)| *magic == file_system.magic);
    known.filter(|_| major != LOOP).map(|(_, promise)| *promise)
}

/// The file system on which a file lies, where the platform tells.
#[cfg(target_os = "linux")]
pub(super) fn file_system(path: &std::path::Path) -> Option<FileSystem> {
    let magic = rustix::fs::statfs(path).ok()?.f_type;
    let id = rustix::fs::statvfs(path).ok()?.f_fsid;
    // The type is 32 bits wide in a word that is signed on some processors.
    Some(FileSystem { magic: magic as u32, id })
}

/// Of other systems nothing is known yet.
#[cfg(not(target_os = "linux"))]
pub(super) fn file_system(_path: &std::path::Path) -> Option<FileSystem> {
    None
}

/// The major number of a device.
#[cfg(target_os = "linux")]
pub(super) fn major(device: u64) -> u32 {
    rustix::fs::major(device)
}

/// Other systems have no file system that is known.
#[cfg(not(target_os = "linux"))]
pub(super) fn major(_device: u64) -> u32 {
    0
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn every_type_is_listed_once() {
        let magics: std::collections::BTreeSet<u32> =
            KNOWN.iter().map(|(magic, _)| *magic).collect();
        assert_eq!(magics.len(), KNOWN.len());
    }

    #[test]
    fn images_mounted_by_loop_promise_nothing() {
        for (magic, expected) in KNOWN {
            let file_system = FileSystem { magic, id: 1 };
            assert_eq!(promise(file_system, 8), Some(expected));
            assert_eq!(promise(file_system, LOOP), None);
        }
    }

    proptest! {
        #[test]
        fn what_is_not_listed_promises_nothing(magic: u32, id: u64, major: u32) {
            prop_assume!(KNOWN.iter().all(|(known, _)| *known != magic));
            prop_assert_eq!(promise(FileSystem { magic, id }, major), None);
        }
    }
}
