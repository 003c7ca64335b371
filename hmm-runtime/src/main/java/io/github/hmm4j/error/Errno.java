package io.github.hmm4j.error;

/// The errors of system calls, by the names that their manuals have. Linux, on machines whose numbers are those of
/// `asm-generic`: x86-64 and aarch64.
public final class Errno {

    private static final String[] NAMES = {
        "0", "EPERM", "ENOENT", "ESRCH", "EINTR", "EIO", "ENXIO", "E2BIG", "ENOEXEC", "EBADF", "ECHILD", "EAGAIN", "ENOMEM", "EACCES", "EFAULT", "ENOTBLK", "EBUSY", "EEXIST", "EXDEV",
        "ENODEV", "ENOTDIR", "EISDIR", "EINVAL", "ENFILE", "EMFILE", "ENOTTY", "ETXTBSY", "EFBIG", "ENOSPC", "ESPIPE", "EROFS", "EMLINK", "EPIPE", "EDOM", "ERANGE", "EDEADLK",
        "ENAMETOOLONG", "ENOLCK", "ENOSYS", "ENOTEMPTY", "ELOOP"
    };
    private static final int EOVERFLOW = 75;
    private static final int EUSERS = 87;
    private static final int EOPNOTSUPP = 95;
    private static final int ETIMEDOUT = 110;
    private static final int EHWPOISON = 133;

    private Errno() {}

    /// Name and number, such as `ENOMEM (12)`.
    public static String text(int errno) {
        String name = errno > 0 && errno < NAMES.length ? NAMES[errno] : switch (errno) {
            case EOVERFLOW -> "EOVERFLOW";
            case EUSERS -> "EUSERS";
            case EOPNOTSUPP -> "EOPNOTSUPP";
            case ETIMEDOUT -> "ETIMEDOUT";
            case EHWPOISON -> "EHWPOISON";
            default -> "unknown";
        };
        return name + " (" + errno + ")";
    }
}
