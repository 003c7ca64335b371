package io.github.hmm4j.account;

/// Which way pages moved.
public enum Direction { TO_DEVICE, TO_HOST }
