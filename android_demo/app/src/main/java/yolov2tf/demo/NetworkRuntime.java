package yolov2tf.demo;

import java.nio.ByteBuffer;
import java.util.List;
import yolov2tf.core.ModelRunner;

/** Opens networks. {@code TensorFlowLite} does, of which each of the two builds has its own. */
interface NetworkRuntime {
    /** What networks can run on; at least one CPU. */
    List<Accelerator> accelerators();

    /**
     * Opens a network on just this accelerator.
     *
     * @param file the whole model file, direct
     * @throws RuntimeException or LinkageError, if it does not run there; the message says why
     */
    ModelRunner open(ByteBuffer file, Accelerator accelerator);
}
