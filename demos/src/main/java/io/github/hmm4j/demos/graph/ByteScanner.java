package io.github.hmm4j.demos.graph;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.regex.Pattern;

/// Reads lines of numbers and words out of a mapped file, byte by byte, and knows the line it is on.
///
/// Lines end with LF or CRLF; the last one may lack its end. Blanks are spaces and tabs.
final class ByteScanner implements AutoCloseable {
    private static final int END_OF_FILE = -1;

    /// Fortran has exponents with D and Q, and none of these letters where the exponent has three digits.
    private static final Pattern REAL = Pattern.compile(
        "[+-]?(?:(?:\\d+\\.?\\d*|\\.\\d+)(?:[EDQ][+-]?\\d+|[+-]\\d+)?|INF(?:INITY)?|NAN)", Pattern.CASE_INSENSITIVE);

    private final Path file;
    private final Arena arena = Arena.ofConfined();
    private final MemorySegment bytes;
    private final long end;
    private long at;
    private long line = 1;

    private ByteScanner(Path file) throws IOException {
        this.file = file;
        try (FileChannel channel = FileChannel.open(file)) {
            bytes = channel.map(FileChannel.MapMode.READ_ONLY, 0, channel.size(), arena);
        }
        end = bytes.byteSize();
    }

    static ByteScanner open(Path file) throws IOException {
        return new ByteScanner(file);
    }

    Path file() {
        return file;
    }

    /// How people call the file.
    String title() {
        Path name = file.getFileName();
        return name == null ? file.toString() : name.toString();
    }

    private int peek() {
        return at < end ? bytes.get(ValueLayout.JAVA_BYTE, at) & 0xff : END_OF_FILE;
    }

    /// Whether the next bytes are `prefix` (one byte a character), ignoring the case of letters.
    boolean startsWith(String prefix) {
        if (end - at < prefix.length()) {
            return false;
        }
        for (int i = 0; i < prefix.length(); i++) {
            int there = bytes.get(ValueLayout.JAVA_BYTE, at + i) & 0xff;
            if (Character.toLowerCase(there) != Character.toLowerCase(prefix.charAt(i))) {
                return false;
            }
        }
        return true;
    }

    /// Goes past `prefix` if it is there, as for [#startsWith].
    void skip(String prefix) {
        if (startsWith(prefix)) {
            at += prefix.length();
        }
    }

    boolean atEndOfFile() {
        return at >= end;
    }

    boolean atEndOfLine() {
        int next = peek();
        if (next == '\r') {
            return at + 1 >= end || byteAt(at + 1) == '\n';
        }
        return next == '\n' || next == END_OF_FILE;
    }

    private int byteAt(long place) {
        return bytes.get(ValueLayout.JAVA_BYTE, place) & 0xff;
    }

    void skipBlanks() {
        int next = peek();
        while (next == ' ' || next == '\t') {
            at++;
            next = peek();
        }
    }

    /// Goes to the first byte that is neither a blank nor the end of a line.
    void skipBlankLines() {
        skipBlanks();
        while (atEndOfLine() && !atEndOfFile()) {
            nextLine();
            skipBlanks();
        }
    }

    /// Goes to the first byte of the next line.
    void nextLine() {
        while (at < end && byteAt(at) != '\n') {
            at++;
        }
        if (at < end) {
            at++;
            if (at < end) {
                line++;
            }
        }
    }

    /// Goes to the first line from here on that is neither blank nor a comment; false when there is none.
    boolean nextDataLine(char comment) {
        while (!atEndOfFile()) {
            skipBlanks();
            if (!atEndOfLine() && peek() != comment) {
                return true;
            }
            nextLine();
        }
        return false;
    }

    /// The rest of this line, for comments and headers; stays on the line, at its end.
    String restOfLine() {
        long start = at;
        while (!atEndOfLine()) {
            at++;
        }
        return text(start, at);
    }

    private String text(long from, long to) {
        byte[] copy = bytes.asSlice(from, to - from).toArray(ValueLayout.JAVA_BYTE);
        return new String(copy, StandardCharsets.ISO_8859_1);
    }

    /// Reads one non-negative number that ends at a blank or at the end of the line.
    ///
    /// @param what how messages call it, for instance `source vertex`
    long number(String what) throws GraphFormatException {
        skipBlanks();
        long start = at;
        long value = 0;
        while (at < end) {
            int digit = byteAt(at) - '0';
            if (digit < 0 || digit > 9) {
                break;
            }
            if (value > (Long.MAX_VALUE - digit) / 10) {
                throw malformed("%s too large: %s".formatted(what, tokenAt(start)));
            }
            value = 10 * value + digit;
            at++;
        }
        if (at > start && (atEndOfLine() || isBlank(byteAt(at)))) {
            return value;
        }
        at = start;
        if (atEndOfLine()) {
            throw malformed("missing " + what);
        }
        String token = tokenAt(start);
        throw malformed(token.matches("-\\d+")
            ? "negative %s: %s".formatted(what, token)
            : "bad number for %s: '%s'".formatted(what, token));
    }

    private static boolean isBlank(int next) {
        return next == ' ' || next == '\t';
    }

    /// Reads the token at the cursor as a floating-point number, whose value nobody needs, and goes past it: as C and
    /// Fortran write them.
    void skipReal(String what) throws GraphFormatException {
        String token = token(what);
        if (!REAL.matcher(token).matches()) {
            throw malformed("bad number for %s: '%s'".formatted(what, token));
        }
    }

    private String token(String what) throws GraphFormatException {
        skipBlanks();
        if (atEndOfLine()) {
            throw malformed("missing " + what);
        }
        long start = at;
        while (!atEndOfLine() && !isBlank(byteAt(at))) {
            at++;
        }
        return text(start, at);
    }

    /// Refuses whatever is left on this line.
    void expectEndOfLine(String expected) throws GraphFormatException {
        skipBlanks();
        if (!atEndOfLine()) {
            throw malformed("expected %s, but '%s' follows".formatted(expected, tokenAt(at)));
        }
    }

    /// The token that starts there, cut short and made printable for a message.
    private String tokenAt(long start) {
        StringBuilder text = new StringBuilder();
        for (long i = start; i < end && text.length() < 40; i++) {
            int next = byteAt(i);
            if (isBlank(next) || next == '\n' || next == '\r') {
                break;
            }
            text.append(next >= ' ' && next < 127 ? (char) next : '?');
        }
        return text.toString();
    }

    GraphFormatException malformed(String reason) {
        return new GraphFormatException(file, line, reason);
    }

    @Override
    public void close() {
        arena.close();
    }
}
