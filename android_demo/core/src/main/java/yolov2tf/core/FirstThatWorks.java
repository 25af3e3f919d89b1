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

    /** Open, and has run once. */
    public final ModelRunner runner;
    /** Place of the way that worked. */
    public final int way;
    /** Why the first way was passed over; null if it worked. */
    public final String refusal;

    private FirstThatWorks(ModelRunner runner, int way, String refusal) {
        this.runner = runner;
        this.way = way;
        this.refusal = refusal;
    }

    /**
     * Tries the ways in turn.
     *
     * @param model the model that they run
     * @param ways the best one first
     * @throws ModelException if none works; it has the reason of the last
     */
    public static FirstThatWorks open(ModelFile model, List<Way> ways) throws ModelException {
        String first = null;
        Throwable last = null;
        for (int i = 0; i < ways.size(); i++) {
            ModelRunner runner = null;
            try {
                runner = ways.get(i).open();
                tryOnce(model, runner);
                return new FirstThatWorks(runner, i, first);
            } catch (Exception | LinkageError error) { // the latter if a library is missing
                first = first == null ? words(error) : first;
                last = error;
                closeQuietly(runner);
            }
        }
        String detail = last == null ? "" : ": " + words(last);
        throw new ModelException("The model cannot be run on this device" + detail, last);
    }

    /** What an error says, or else what it is. */
    public static String words(Throwable error) {
        String message = error.getMessage();
        return message == null || message.isEmpty() ? error.getClass().getSimpleName() : message;
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
