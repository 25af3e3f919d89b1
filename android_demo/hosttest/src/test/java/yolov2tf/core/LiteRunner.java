package yolov2tf.core;

import java.nio.ByteBuffer;
import java.nio.file.Path;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.Pointer;
import org.bytedeco.tensorflowlite.BuiltinOpResolverWithXNNPACK;
import org.bytedeco.tensorflowlite.FlatBufferModel;
import org.bytedeco.tensorflowlite.Interpreter;
import org.bytedeco.tensorflowlite.InterpreterBuilder;
import org.bytedeco.tensorflowlite.TfLiteTensor;

/**
 * Runs a {@code .tflite} file on the desktop with TensorFlow Lite's C++ classes.
 *
 * <p>With XNNPACK, which Android's interpreter and Python's use too: its int8 kernels round another
 * way than the older ones.
 */
final class LiteRunner implements ModelRunner {
    private static final int OK = 0;

    private final FlatBufferModel model;
    private final BuiltinOpResolverWithXNNPACK operators = new BuiltinOpResolverWithXNNPACK();
    // The builder makes it; one that was there before would be freed twice.
    private final Interpreter interpreter = new Interpreter((Pointer) null);

    LiteRunner(Path file) {
        model = FlatBufferModel.BuildFromFile(file.toString());
        if (model == null || model.isNull()) {
            throw new IllegalArgumentException("TensorFlow Lite cannot read " + file);
        }
        try (InterpreterBuilder builder = new InterpreterBuilder(model, operators)) {
            check(builder.SetNumThreads(1));
            check(builder.apply(interpreter));
        }
        check(interpreter.AllocateTensors());
    }

    @Override
    public void run(ByteBuffer input, ByteBuffer[] outputs) {
        bytes(interpreter.input_tensor(0)).asByteBuffer().put(input.duplicate());
        check(interpreter.Invoke());
        for (int i = 0; i < outputs.length; i++) {
            outputs[i].duplicate().put(bytes(interpreter.output_tensor(i)).asByteBuffer());
        }
    }

    @Override
    public String description() {
        return "CPU, 1 thread";
    }

    @Override
    public void close() {
        interpreter.close();
        operators.close();
        model.close();
    }

    private static BytePointer bytes(TfLiteTensor tensor) {
        return new BytePointer(tensor.data().data()).capacity(tensor.bytes());
    }

    private static void check(int status) {
        if (status != OK) {
            throw new IllegalStateException("TensorFlow Lite failed with status " + status);
        }
    }
}
