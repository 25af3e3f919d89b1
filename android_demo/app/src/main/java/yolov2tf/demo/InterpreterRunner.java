package yolov2tf.demo;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.tensorflow.lite.Interpreter;
import org.tensorflow.lite.gpu.CompatibilityList;
import org.tensorflow.lite.gpu.GpuDelegate;
import yolov2tf.core.FirstThatWorks;
import yolov2tf.core.ModelException;
import yolov2tf.core.ModelFile;
import yolov2tf.core.ModelRunner;

/** Runs a network with TensorFlow Lite, on the GPU where that works. */
final class InterpreterRunner implements ModelRunner {
    private final Interpreter interpreter;
    private final GpuDelegate delegate; // null on the CPU
    private final String description;
    private final Object[] inputs = new Object[1];
    private final Map<Integer, Object> outputs = new HashMap<>();

    private InterpreterRunner(
            Interpreter interpreter, GpuDelegate delegate, String description) {
        this.interpreter = interpreter;
        this.delegate = delegate;
        this.description = description;
    }

    /**
     * Opens a model on an accelerator; on the CPU if it does not run there.
     *
     * @param model what the file says about itself
     * @param file the whole file, direct
     * @throws ModelException if it runs nowhere
     */
    static ModelRunner open(ModelFile model, ByteBuffer file, Accelerator accelerator)
            throws ModelException {
        List<FirstThatWorks.Way> ways = new ArrayList<>();
        if (accelerator == Accelerator.GPU) {
            ways.add(() -> onGpu(file));
        }
        ways.add(() -> onCpu(file, accelerator.threads));
        return FirstThatWorks.open(model, ways);
    }

    private static ModelRunner onCpu(ByteBuffer file, int threads) {
        Interpreter.Options options = new Interpreter.Options().setNumThreads(threads);
        return new InterpreterRunner(
                new Interpreter(file, options), null, "CPU × " + threads);
    }

    private static ModelRunner onGpu(ByteBuffer file) {
        try (CompatibilityList known = new CompatibilityList()) {
            if (!known.isDelegateSupportedOnThisDevice()) {
                throw new UnsupportedOperationException("the GPU is not supported");
            }
        }
        GpuDelegate delegate = new GpuDelegate();
        try {
            Interpreter.Options options = new Interpreter.Options().addDelegate(delegate);
            return new InterpreterRunner(new Interpreter(file, options), delegate, "GPU");
        } catch (RuntimeException | LinkageError error) {
            delegate.close();
            throw error;
        }
    }

    @Override
    public void run(ByteBuffer input, ByteBuffer[] results) {
        inputs[0] = input;
        for (int i = 0; i < results.length; i++) {
            outputs.put(i, results[i]);
        }
        interpreter.runForMultipleInputsOutputs(inputs, outputs);
    }

    @Override
    public String description() {
        return description;
    }

    @Override
    public void close() {
        interpreter.close();
        if (delegate != null) {
            delegate.close();
        }
    }
}
