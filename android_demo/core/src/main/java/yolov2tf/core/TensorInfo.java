package yolov2tf.core;

import java.util.Arrays;

/** What a {@code .tflite} file says of an input or output: name, type, fixed shape and steps. */
public final class TensorInfo {
    /** Number types that inputs and outputs of detectors have, with TFLite's codes. */
    public enum Type {
        FLOAT32(0, 4),
        INT32(2, 4),
        UINT8(3, 1),
        INT8(9, 1);

        final int code;
        final int bytes;

        Type(int code, int bytes) {
            this.code = code;
            this.bytes = bytes;
        }

        static Type of(int code) throws ModelException {
            for (Type type : values()) {
                if (type.code == code) {
                    return type;
                }
            }
            throw new ModelException(
                    "The model has an input or output of a type this app does not know (TFLite's"
                            + " code " + code + "). Export it with --quantize none, fp16, dynamic"
                            + " or int8.");
        }
    }

    private static final long LARGEST = 1 << 28;

    public final String name;
    public final Type type;
    /** What one step of an integer stands for; 0 where the file does not say. */
    final float scale;
    /** The integer that stands for 0. */
    final int zeroPoint;
    private final int[] shape;

    TensorInfo(String name, Type type, int[] shape) throws ModelException {
        this(name, type, shape, 0, 0);
    }

    TensorInfo(String name, Type type, int[] shape, float scale, int zeroPoint)
            throws ModelException {
        this.name = name;
        this.type = type;
        this.scale = scale;
        this.zeroPoint = zeroPoint;
        this.shape = shape;
        long size = 1;
        for (int side : shape) {
            size *= side;
            if (side < 1 || size > LARGEST) {
                throw new ModelException(
                        "The model's tensor \"" + name + "\" has the shape "
                                + Arrays.toString(shape) + ", which cannot be.");
            }
        }
    }

    public int dimensions() {
        return shape.length;
    }

    /** Length of a dimension. */
    public int side(int dimension) {
        return shape[dimension];
    }

    /** How many numbers it holds. */
    public int size() {
        int size = 1;
        for (int side : shape) {
            size *= side;
        }
        return size;
    }

    /** How many bytes it takes. */
    public int bytes() {
        return size() * type.bytes;
    }

    boolean hasShape(int... expected) {
        return Arrays.equals(shape, expected);
    }

    @Override
    public String toString() {
        return name + " " + type + Arrays.toString(shape);
    }
}
