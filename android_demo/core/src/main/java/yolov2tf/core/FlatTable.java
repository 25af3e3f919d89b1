package yolov2tf.core;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/**
 * A table of a FlatBuffer, read field by field.
 *
 * <p>Two schemas are read here, TFLite's and that of its metadata, a dozen fields in all. Damaged
 * data ends in an {@link IndexOutOfBoundsException}: every access is checked by the buffer.
 */
final class FlatTable {
    private final ByteBuffer data;
    private final int position;

    private FlatTable(ByteBuffer data, int position) {
        this.data = data;
        this.position = position;
    }

    /** The root table of a FlatBuffer that fills {@code data}. */
    static FlatTable root(ByteBuffer data) {
        ByteBuffer little = data.slice().order(ByteOrder.LITTLE_ENDIAN);
        return new FlatTable(little, little.getInt(0));
    }

    /** The four letters that say what a FlatBuffer holds. */
    static String identifier(ByteBuffer data) {
        byte[] letters = new byte[4];
        ByteBuffer copy = data.slice();
        copy.position(4);
        copy.get(letters);
        return new String(letters, StandardCharsets.ISO_8859_1);
    }

    int integer(int slot, int missing) {
        int field = field(slot);
        return field == 0 ? missing : data.getInt(field);
    }

    int octet(int slot, int missing) {
        int field = field(slot);
        return field == 0 ? missing : data.get(field);
    }

    String text(int slot) {
        byte[] bytes = octets(slot);
        return new String(bytes, StandardCharsets.UTF_8);
    }

    /** A vector of bytes; empty where there is none. */
    byte[] octets(int slot) {
        ByteBuffer view = view(slot);
        byte[] bytes = new byte[view.remaining()];
        view.get(bytes);
        return bytes;
    }

    /** A vector of bytes, not copied. */
    ByteBuffer view(int slot) {
        int start = vector(slot);
        int length = length(start, 1);
        ByteBuffer view = data.duplicate();
        view.position(start == 0 ? 0 : start + 4).limit(view.position() + length);
        return view.slice();
    }

    int[] integers(int slot) {
        int start = vector(slot);
        int[] values = new int[length(start, 4)];
        for (int i = 0; i < values.length; i++) {
            values[i] = data.getInt(start + 4 + 4 * i);
        }
        return values;
    }

    float[] floats(int slot) {
        int[] bits = integers(slot);
        float[] values = new float[bits.length];
        for (int i = 0; i < bits.length; i++) {
            values[i] = Float.intBitsToFloat(bits[i]);
        }
        return values;
    }

    /** A vector of integers of 64 bits. */
    long[] longs(int slot) {
        int start = vector(slot);
        long[] values = new long[length(start, 8)];
        for (int i = 0; i < values.length; i++) {
            values[i] = data.getLong(start + 4 + 8 * i);
        }
        return values;
    }

    /** A table in a field, or null. */
    FlatTable table(int slot) {
        int field = field(slot);
        return field == 0 ? null : new FlatTable(data, field + data.getInt(field));
    }

    /** A vector of tables; empty where there is none. */
    List<FlatTable> tables(int slot) {
        int start = vector(slot);
        List<FlatTable> tables = new ArrayList<>();
        for (int i = 0, count = length(start, 4); i < count; i++) {
            int entry = start + 4 + 4 * i;
            tables.add(new FlatTable(data, entry + data.getInt(entry)));
        }
        return tables;
    }

    private int field(int slot) {
        int directory = position - data.getInt(position);
        int entry = 4 + 2 * slot;
        int size = data.getShort(directory) & 0xFFFF;
        int offset = entry < size ? data.getShort(directory + entry) & 0xFFFF : 0;
        return offset == 0 ? 0 : position + offset;
    }

    private int vector(int slot) {
        int field = field(slot);
        return field == 0 ? 0 : field + data.getInt(field);
    }

    private int length(int start, int bytesEach) {
        int length = start == 0 ? 0 : data.getInt(start);
        if (length < 0 || length > data.limit() / bytesEach) {
            throw new IndexOutOfBoundsException("a vector of " + length + " entries");
        }
        return length;
    }
}
