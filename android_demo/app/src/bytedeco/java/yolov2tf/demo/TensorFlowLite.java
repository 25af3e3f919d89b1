package yolov2tf.demo;

import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.List;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.Pointer;
import org.bytedeco.tensorflowlite.BuiltinOpResolverWithXNNPACK;
import org.bytedeco.tensorflowlite.FlatBufferModel;
import org.bytedeco.tensorflowlite.Interpreter;
import org.bytedeco.tensorflowlite.InterpreterBuilder;
import org.bytedeco.tensorflowlite.TfLiteTensor;
import yolov2tf.core.ModelRunner;

/**
 * Runs networks with TensorFlow Lite's C++ classes, as Maven Central has them: the runtime of
 * {@code build_apk.sh}, and of the tests on the desktop.
 *
 * <p>CPU alone: the last GPU delegate on Maven Central has 4-kB pages, which Android 15 may refuse.
 */
final class TensorFlowLite implements NetworkRuntime {
    static {
        // By default JavaCPP limits the whole process to four times Java's heap, which phones keep
        // small. Everything here is closed by hand.
        System.setProperty("org.bytedeco.javacpp.maxBytes", "0");
        System.setProperty("org.bytedeco.javacpp.maxPhysicalBytes", "0");
    }

    @Override
    public List<Accelerator> accelerators() {
        return Arrays.asList(Accelerator.CPU_4, Accelerator.CPU_2, Accelerator.CPU_1);
    }

    @Override
    public ModelRunner open(ByteBuffer file, Accelerator accelerator) {
        if (accelerator == Accelerator.GPU) {
            throw new UnsupportedOperationException("this build has no library for GPUs");
        }
        return new Runner(file, accelerator.threads);
    }

    private static final class Runner implements ModelRunner {
        private static final int OK = 0;

        private final int threads;
        private final ByteBuffer file; // the network points into it
        private final BytePointer bytes;
        private final FlatBufferModel model;
        private final BuiltinOpResolverWithXNNPACK operators = new BuiltinOpResolverWithXNNPACK();
        // The builder makes it; one that was there before would be freed twice.
        private final Interpreter interpreter = new Interpreter((Pointer) null);

        Runner(ByteBuffer file, int threads) {
            this.file = file;
            this.threads = threads;
            bytes = new BytePointer(file.duplicate());
            model = FlatBufferModel.VerifyAndBuildFromBuffer(bytes, file.capacity());
            try {
                if (model == null || model.isNull()) {
                    throw new IllegalArgumentException("TensorFlow Lite cannot read the model");
                }
                try (InterpreterBuilder builder = new InterpreterBuilder(model, operators)) {
                    check(builder.SetNumThreads(threads), "takes no " + threads + " threads");
                    check(builder.apply(interpreter), "does not know all its operators");
                }
                check(interpreter.AllocateTensors(), "has no memory for it");
            } catch (RuntimeException error) {
                close();
                throw error;
            }
        }

        @Override
        public void run(ByteBuffer input, ByteBuffer[] outputs) {
            bytes(interpreter.input_tensor(0)).asByteBuffer().put(input.duplicate());
            check(interpreter.Invoke(), "failed when it ran");
            for (int i = 0; i < outputs.length; i++) {
                outputs[i].duplicate().put(bytes(interpreter.output_tensor(i)).asByteBuffer());
            }
        }

        @Override
        public String description() {
            return "CPU × " + threads;
        }

        @Override
        public void close() {
            interpreter.close();
            operators.close();
            if (model != null) {
                model.close();
            }
            bytes.close();
        }

        private static BytePointer bytes(TfLiteTensor tensor) {
            return new BytePointer(tensor.data().data()).capacity(tensor.bytes());
        }

        private static void check(int status, String what) {
            if (status != OK) {
                throw new IllegalStateException("TensorFlow Lite " + what);
            }
        }
    }
}
