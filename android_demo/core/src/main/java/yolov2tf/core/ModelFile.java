package yolov2tf.core;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Map;

/**
 * What a {@code .tflite} file that {@code yolov2 export} wrote says about itself.
 *
 * <p>Three sources, all in the file: the graph (shapes, types, names of outputs), TFLite's metadata
 * (name, author, licence, how pixels are normalised) and {@code yolov2.json} (everything else).
 */
public final class ModelFile {
    private static final String GRAPH = "TFL3";
    private static final String METADATA = "M001";
    private static final int NORMALIZATION = 1; // tag of NormalizationOptions

    public final String name;
    public final String description;
    public final String author;
    public final String license;
    public final Layout layout;
    public final TensorInfo input;
    /** In the order in which the interpreter numbers them, which means nothing. */
    public final List<TensorInfo> outputs;

    /**
     * Reads a file.
     *
     * @param file the whole file; its position and limit are left alone
     * @throws ModelException if it is damaged, no TFLite file, or nothing this app can use
     */
    public static ModelFile read(ByteBuffer file) throws ModelException {
        try {
            if (!FlatTable.identifier(file).equals(GRAPH)) {
                throw new ModelException("This is not a TFLite model.");
            }
            return new ModelFile(FlatTable.root(file), AttachedFiles.read(file));
        } catch (IndexOutOfBoundsException | IllegalArgumentException
                | java.nio.BufferUnderflowException | NegativeArraySizeException error) {
            throw new ModelException("The model file is damaged.", error);
        } catch (IOException error) {
            throw new ModelException(
                    "The model file is damaged: " + error.getMessage() + ".", error);
        }
    }

    private ModelFile(FlatTable graph, Map<String, byte[]> attached) throws ModelException {
        FlatTable metadata = metadata(graph);
        name = metadata.text(0);
        description = metadata.text(1);
        author = metadata.text(4);
        license = metadata.text(5);
        checkNormalization(metadata);

        byte[] json = attached.get(Layout.FILE);
        if (json == null) {
            throw foreign();
        }
        layout = Layout.parse(json);

        List<FlatTable> subgraphs = graph.tables(2);
        if (subgraphs.size() != 1) {
            throw new ModelException("The model has control flow, which phones cannot run.");
        }
        List<FlatTable> tensors = subgraphs.get(0).tables(0);
        int[] inputs = subgraphs.get(0).integers(1);
        if (inputs.length != 1) {
            throw new ModelException("The model has " + inputs.length + " inputs instead of one.");
        }
        input = tensor(tensors.get(inputs[0]));
        List<TensorInfo> found = new ArrayList<>();
        for (int index : subgraphs.get(0).integers(2)) {
            found.add(tensor(tensors.get(index)));
        }
        outputs = Collections.unmodifiableList(found);
        checkInput();
    }

    /** A model without a file, whose parts are known. */
    ModelFile(Layout layout, TensorInfo input, List<TensorInfo> outputs) throws ModelException {
        name = "";
        description = "";
        author = "";
        license = "";
        this.layout = layout;
        this.input = input;
        this.outputs = outputs;
        checkInput();
    }

    /**
     * Where an output is.
     *
     * @param wanted name of the output
     * @param type the type it must have
     * @param shape the shape it must have
     * @return its place in {@link #outputs}
     * @throws ModelException if there is no such output
     */
    public int outputIndex(String wanted, TensorInfo.Type type, int... shape)
            throws ModelException {
        TensorInfo output = output(wanted);
        if (output.type != type || !output.hasShape(shape)) {
            throw new ModelException("The model's output " + output + " should be " + type
                    + Arrays.toString(shape) + "; " + layout.outputSettings() + ".");
        }
        return outputs.indexOf(output);
    }

    /** The output of that name. */
    TensorInfo output(String wanted) throws ModelException {
        for (TensorInfo output : outputs) {
            if (output.name.equals(wanted)) {
                return output;
            }
        }
        throw new ModelException(
                "The model has no output \"" + wanted + "\", only " + outputs + ".");
    }

    private void checkInput() throws ModelException {
        int size = layout.inputSize;
        if (!input.hasShape(1, size, size, 3)) {
            throw new ModelException("The model's input " + input + " does not fit the input_size"
                    + " of " + size + " pixels in its " + Layout.FILE + ".");
        }
        if (input.type == TensorInfo.Type.INT8 && (input.scale != 1 || input.zeroPoint != -128)) {
            throw new ModelException("The model's input has steps of " + input.scale + " from "
                    + input.zeroPoint + "; expected: steps of 1 from -128, as yolov2 export writes"
                    + " them.");
        }
    }

    private static FlatTable metadata(FlatTable graph) throws ModelException {
        List<FlatTable> buffers = graph.tables(4);
        for (FlatTable entry : graph.tables(6)) {
            if (entry.text(0).equals("TFLITE_METADATA")) {
                ByteBuffer content = buffers.get(entry.integer(1, 0)).view(0);
                if (FlatTable.identifier(content).equals(METADATA)) {
                    return FlatTable.root(content);
                }
            }
        }
        throw foreign();
    }

    private static ModelException foreign() {
        return new ModelException("The model does not say how it is to be used: it was not written"
                + " by yolov2 export --format tflite.");
    }

    /** Pixels go in as they are, 0 to 255: a model that wants them otherwise would see nonsense. */
    private static void checkNormalization(FlatTable metadata) throws ModelException {
        List<FlatTable> subgraphs = metadata.tables(3);
        List<FlatTable> inputs =
                subgraphs.isEmpty() ? subgraphs : subgraphs.get(0).tables(2);
        for (FlatTable input : inputs) {
            for (FlatTable unit : input.tables(4)) {
                if (unit.octet(0, 0) == NORMALIZATION && unit.table(1) != null) {
                    checkAll(unit.table(1).floats(0), 0);
                    checkAll(unit.table(1).floats(1), 1);
                }
            }
        }
    }

    private static void checkAll(float[] values, float expected) throws ModelException {
        for (float value : values) {
            if (value != expected) {
                throw new ModelException("The model wants normalised pixels; this app feeds them as"
                        + " they are, 0 to 255.");
            }
        }
    }

    private static TensorInfo tensor(FlatTable table) throws ModelException {
        TensorInfo.Type type = TensorInfo.Type.of(table.octet(1, 0));
        FlatTable steps = table.table(4);
        float[] scales = steps == null ? new float[0] : steps.floats(2);
        long[] zeroPoints = steps == null ? new long[0] : steps.longs(3);
        return new TensorInfo(table.text(3), type, table.integers(0),
                scales.length == 1 ? scales[0] : 0,
                zeroPoints.length == 1 ? (int) zeroPoints[0] : 0);
    }
}
