package io.github.hmm4j.kernels;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_16;
import static java.nio.charset.StandardCharsets.UTF_8;

import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;

/// How source files become text. What is not in UTF-8 is old code with comments in ISO-8859-1, as a rule; outside of
/// comments and strings OpenCL C has no such characters.
final class Encoding {

    private static final char MARK = '\uFEFF';

    private Encoding() {}

    static String decode(byte... bytes) {
        if (bytes.length >= 2 && (isMark(bytes[0], bytes[1]) || isMark(bytes[1], bytes[0]))) {
            return withoutMark(new String(bytes, UTF_16));
        }
        try {
            return withoutMark(UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString());
        } catch (CharacterCodingException _) {
            return new String(bytes, ISO_8859_1);
        }
    }

    private static boolean isMark(byte high, byte low) {
        return high == (byte) (MARK >> Byte.SIZE) && low == (byte) MARK;
    }

    static String withoutMark(String text) {
        return !text.isEmpty() && text.charAt(0) == MARK ? text.substring(1) : text;
    }
}
