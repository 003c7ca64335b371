package io.github.hmm4j.demos.tree;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.CharsetDecoder;
import java.nio.charset.CoderResult;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.LinkedHashSet;
import java.util.Locale;
import java.util.SequencedSet;

/// Splits a UTF-8 text into its distinct words.
///
/// A word is a longest run of letters, digits and combining marks of any script, as written: case matters, and
/// everything else separates (`don't` is two words). Bytes that are not UTF-8 are an error, not a question mark.
final class TextWords {
    private static final int BUFFER_BYTES = 1 << 16;

    private final Path file;
    private final SequencedSet<String> words = new LinkedHashSet<>();
    private final StringBuilder word = new StringBuilder();
    private long line = 1;

    private TextWords(Path file) {
        this.file = file;
    }

    static SequencedSet<String> read(Path file) throws IOException {
        if (!Files.exists(file)) {
            throw new NoSuchFileException(file.toString(), null, "there is no such text file");
        }
        if (!Files.isRegularFile(file)) {
            throw new IOException("not a regular file, so no words can be read from it: file=" + file);
        }
        TextWords text = new TextWords(file);
        try (FileChannel channel = FileChannel.open(file)) {
            text.decode(channel);
        }
        return text.words;
    }

    private void decode(FileChannel channel) throws IOException {
        CharsetDecoder decoder = StandardCharsets.UTF_8.newDecoder()
            .onMalformedInput(CodingErrorAction.REPORT)
            .onUnmappableCharacter(CodingErrorAction.REPORT);
        ByteBuffer bytes = ByteBuffer.allocate(BUFFER_BYTES);
        CharBuffer chars = CharBuffer.allocate(BUFFER_BYTES);
        boolean last = false;
        while (!last) {
            last = channel.read(bytes) < 0;
            bytes.flip();
            // There are never more chars than bytes, so one call takes in all complete characters.
            CoderResult result = decoder.decode(bytes, chars, last);
            split(chars.flip());
            if (result.isError()) {
                long offset = channel.position() - bytes.remaining();
                throw new IOException(String.format(Locale.ROOT, "%s:%d: not UTF-8: byte 0x%02x at offset %d",
                    file, line, bytes.get(bytes.position()), offset));
            }
            chars.clear();
            bytes.compact();
        }
        endWord();
    }

    private void split(CharSequence text) {
        int at = 0;
        while (at < text.length()) {
            int character = Character.codePointAt(text, at);
            at += Character.charCount(character);
            if (isPartOfWord(character)) {
                word.appendCodePoint(character);
            } else {
                endWord();
                line += character == '\n' ? 1 : 0;
            }
        }
    }

    private static boolean isPartOfWord(int character) {
        int type = Character.getType(character);
        return Character.isLetterOrDigit(character)
            || type == Character.NON_SPACING_MARK
            || type == Character.COMBINING_SPACING_MARK;
    }

    private void endWord() {
        if (!word.isEmpty()) {
            words.add(word.toString());
            word.setLength(0);
        }
    }
}
