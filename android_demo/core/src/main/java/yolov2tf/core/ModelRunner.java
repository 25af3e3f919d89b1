package yolov2tf.core;

import java.nio.ByteBuffer;

/** Runs a network. Opened, used and closed by one thread, since delegates demand that. */
public interface ModelRunner extends AutoCloseable {
    /**
     * Runs it once.
     *
     * @param input direct buffer in the machine's byte order, as large as the input
     * @param outputs likewise, in the order of {@link ModelFile#outputs}; filled
     * @throws RuntimeException if the runtime fails
     */
    void run(ByteBuffer input, ByteBuffer[] outputs);

    /** What it runs on, for people: {@code CPU, 4 threads}. */
    String description();

    @Override
    void close();
}
