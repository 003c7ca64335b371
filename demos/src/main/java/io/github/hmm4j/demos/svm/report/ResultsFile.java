package io.github.hmm4j.demos.svm.report;

import com.google.gson.JsonElement;
import com.google.gson.JsonParseException;
import com.google.gson.JsonParser;
import io.github.hmm4j.demos.report.Json;
import io.github.hmm4j.demos.svm.SvmResults;
import io.github.hmm4j.demos.svm.verdict.Grid;
import io.github.hmm4j.demos.svm.verdict.Overall;
import io.github.hmm4j.demos.svm.verdict.Verdict;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/// `results.json`: all of [SvmResults], with the verdicts for programs that only want those. Its fields are described in
/// `demos/docs/svm.md`.
public final class ResultsFile {
    /// Changes when a field changes its meaning; a new field does not change it.
    static final int FORMAT = 1;

    private ResultsFile() {}

    static String json(SvmResults results, Overall overall, List<Verdict> verdicts) {
        Map<String, String> sentences = new LinkedHashMap<>();
        Map<String, String> advice = new LinkedHashMap<>();
        verdicts.forEach(verdict -> advice.put(verdict.workload().toString(), verdict.advice()));
        verdicts.forEach(verdict -> sentences.put(verdict.workload().toString(), verdict.sentence()));
        // One cell a line, so that two files can be compared by eye.
        return String.format(Locale.ROOT, """
            {
            "format": %d,
            "command": %s,
            "machine": %s,
            "device": %s,
            "method": %s,
            "overall": %s,
            "advice": %s,
            "verdicts": %s,
            "cells": %s}
            """, FORMAT, Json.line(results.command()), Json.line(results.machine()), Json.line(results.device()),
            Json.line(results.method()), Json.line(overall.paragraph()), Json.line(advice), Json.line(sentences), Json.lines(results.cells()));
    }

    /// What a `results.json` was made from. The verdicts in it are not read: they are computed from the cells.
    ///
    /// @throws IOException if the file cannot be read, or is no such file; says which and why
    public static SvmResults read(Path file) throws IOException {
        String json = Files.readString(file);
        try {
            JsonElement tree = JsonParser.parseString(json);
            JsonElement given = tree.getAsJsonObject().get("format");
            if (given == null) {
                throw new IllegalArgumentException("it has no format");
            }
            int format = given.getAsInt();
            if (format != FORMAT) {
                throw new IllegalArgumentException("format=" + format + ", readable=" + FORMAT);
            }
            SvmResults results = (SvmResults) FromJson.value(SvmResults.class, tree);
            new Grid(results.cells()); // refuses two for the same place
            return results;
        } catch (JsonParseException | IllegalArgumentException | IllegalStateException | NullPointerException
            | UnsupportedOperationException | ClassCastException e) {
            throw new IOException("not the results of `hmm bench svm`: file=" + file + ", " + e.getMessage(), e);
        }
    }
}
