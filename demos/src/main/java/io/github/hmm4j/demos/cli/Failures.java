package io.github.hmm4j.demos.cli;

import io.github.hmm4j.demos.harness.UsageException;
import java.io.PrintWriter;
import java.nio.file.FileSystemException;
import picocli.CommandLine;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.IExecutionExceptionHandler;
import picocli.CommandLine.IParameterExceptionHandler;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ParseResult;

/// How failures look: one line for mistakes and for what the world does, a stack trace only for our own bugs.
final class Failures implements IParameterExceptionHandler, IExecutionExceptionHandler {
    @Override
    public int handleParseException(ParameterException mistake, String[] args) {
        return usage(mistake.getCommandLine(), String.valueOf(mistake.getMessage()));
    }

    @Override
    public int handleExecutionException(Exception failure, CommandLine command, ParseResult parsed) {
        if (failure instanceof UsageException) {
            return usage(command, String.valueOf(failure.getMessage()));
        }
        print(failure, command.getErr());
        return ExitCode.SOFTWARE;
    }

    private static int usage(CommandLine command, String message) {
        String name = command.getCommandSpec().qualifiedName();
        command.getErr().printf("hmm: %s%nTry '%s --help'.%n", message, name);
        command.getErr().flush();
        return ExitCode.USAGE;
    }

    static void print(Exception failure, PrintWriter err) {
        err.println("hmm: " + describe(failure));
        if (isBug(failure)) {
            failure.printStackTrace(err);
        }
        err.flush();
    }

    /// What went wrong in one sentence, with its causes as far as they add something.
    static String describe(Throwable failure) {
        String message = failure.getMessage();
        if (message == null || message.isBlank()) {
            message = failure.getClass().getSimpleName();
        } else if (failure instanceof FileSystemException file && file.getReason() == null) {
            // The message of these is only the name of the file.
            message = failure.getClass().getSimpleName() + ": " + message;
        }
        Throwable cause = failure.getCause();
        if (cause == null || message.contains(String.valueOf(cause.getMessage()))) {
            return message;
        }
        return message + "; because " + describe(cause);
    }

    /// Checked exceptions and the project's own typed errors say all there is to say.
    private static boolean isBug(Exception failure) {
        return failure instanceof RuntimeException && !failure.getClass().getName().startsWith("io.github.hmm4j.");
    }
}
