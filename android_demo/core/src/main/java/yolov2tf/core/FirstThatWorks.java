package yolov2tf.core;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;

/**
 * Chooses among ways to run a model: the first that opens and survives one run.
 *
 * <p>A GPU delegate may refuse a model when it is opened, or fail only when it first runs.
 */
public final class FirstThatWorks {
    /** Opens a runner, or throws. */
    public interface Way {
        ModelRunner open() throws Exception;
    }

    private FirstThatWorks() {}

    /**
     * Tries the ways in turn.
     *
     * @param model the model that they run
     * @param ways the best one first
     * @return an open runner
     * @throws ModelException if none works; it has the reason of the last
     */
    public static ModelRunner open(ModelFile model, List<Way> ways) throws ModelException {
        Throwable reason = null;
        for (Way way : ways) {
            ModelRunner runner = null;
            try {
                runner = way.open();
                tryOnce(model, runner);
                return runner;
            } catch (Exception | LinkageError error) { // the latter if a library is missing
                reason = error;
                closeQuietly(runner);
            }
        }
        String detail = reason == null ? "" : ": " + reason.getMessage();
        throw new ModelException("The model cannot be run on this device" + detail, reason);
    }

    private static void tryOnce(ModelFile model, ModelRunner runner) {
        ByteBuffer[] outputs = new ByteBuffer[model.outputs.size()];
        for (int i = 0; i < outputs.length; i++) {
            outputs[i] = buffer(model.outputs.get(i));
        }
        runner.run(buffer(model.input), outputs);
    }

    private static ByteBuffer buffer(TensorInfo tensor) {
        return ByteBuffer.allocateDirect(tensor.bytes()).order(ByteOrder.nativeOrder());
    }

    private static void closeQuietly(ModelRunner runner) {
        if (runner == null) {
            return;
        }
        try {
            runner.close();
        } catch (RuntimeException error) {
            // It failed to run already: that it does not close either changes nothing.
        }
    }
}
