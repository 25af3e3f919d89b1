package yolov2tf.demo;

import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.tensorflow.lite.Interpreter;
import org.tensorflow.lite.gpu.CompatibilityList;
import org.tensorflow.lite.gpu.GpuDelegate;
import yolov2tf.core.ModelRunner;

/** Runs networks with Google's LiteRT, on the GPU where that works: the runtime of Gradle's build. */
final class TensorFlowLite implements NetworkRuntime {
    @Override
    public List<Accelerator> accelerators() {
        return Arrays.asList(Accelerator.values());
    }

    @Override
    public ModelRunner open(ByteBuffer file, Accelerator accelerator) {
        return accelerator == Accelerator.GPU ? onGpu(file) : onCpu(file, accelerator.threads);
    }

    private static ModelRunner onCpu(ByteBuffer file, int threads) {
        Interpreter.Options options = new Interpreter.Options().setNumThreads(threads);
        return new Runner(new Interpreter(file, options), null, "CPU × " + threads);
    }

    private static ModelRunner onGpu(ByteBuffer file) {
        try (CompatibilityList known = new CompatibilityList()) {
            if (!known.isDelegateSupportedOnThisDevice()) {
                throw new UnsupportedOperationException("the GPU of this device is not supported");
            }
        }
        GpuDelegate delegate = new GpuDelegate();
        try {
            Interpreter.Options options = new Interpreter.Options().addDelegate(delegate);
            return new Runner(new Interpreter(file, options), delegate, "GPU");
        } catch (RuntimeException | LinkageError error) {
            delegate.close();
            throw error;
        }
    }

    private static final class Runner implements ModelRunner {
        private final Interpreter interpreter;
        private final GpuDelegate delegate; // null on the CPU
        private final String description;
        private final Object[] inputs = new Object[1];
        private final Map<Integer, Object> outputs = new HashMap<>();

        Runner(Interpreter interpreter, GpuDelegate delegate, String description) {
            this.interpreter = interpreter;
            this.delegate = delegate;
            this.description = description;
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
}
