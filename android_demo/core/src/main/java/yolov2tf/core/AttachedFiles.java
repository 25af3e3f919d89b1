package yolov2tf.core;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.HashMap;
import java.util.Map;
import java.util.zip.ZipEntry;
import java.util.zip.ZipInputStream;

/** The files that TFLite metadata attaches to a model: a zip archive at the end of the file. */
final class AttachedFiles {
    private static final int END_SIGNATURE = 0x06054b50;
    private static final int END_LENGTH = 22;
    private static final int LONGEST_COMMENT = 0xFFFF;
    private static final int LARGEST = 16 << 20; // labels of 9,418 classes are a few hundred kB

    private AttachedFiles() {}

    /**
     * Reads all attached files.
     *
     * @param file the whole {@code .tflite} file
     * @return content by name; empty if there is no archive
     * @throws IOException if the archive is damaged or absurdly large
     */
    static Map<String, byte[]> read(ByteBuffer file) throws IOException {
        Map<String, byte[]> files = new HashMap<>();
        ByteBuffer data = file.slice().order(ByteOrder.LITTLE_ENDIAN);
        int end = findEnd(data);
        if (end < 0) {
            return files;
        }
        int start = firstEntry(data, end);
        byte[] archive = new byte[end - start];
        data.position(start);
        data.get(archive);
        try (ZipInputStream zip = new ZipInputStream(new ByteArrayInputStream(archive))) {
            for (ZipEntry entry; (entry = zip.getNextEntry()) != null; ) {
                files.put(entry.getName(), content(zip));
            }
        }
        return files;
    }

    private static int findEnd(ByteBuffer data) {
        int last = data.limit() - END_LENGTH;
        int first = Math.max(last - LONGEST_COMMENT, 0);
        for (int position = last; position >= first; position--) {
            if (data.getInt(position) == END_SIGNATURE) {
                return position;
            }
        }
        return -1;
    }

    /** Offsets in the archive may count from its own start or from that of the file. */
    private static int firstEntry(ByteBuffer data, int end) throws IOException {
        int directoryLength = data.getInt(end + 12);
        int directoryOffset = data.getInt(end + 16);
        int directory = end - directoryLength;
        int start = directory - directoryOffset;
        if (data.getShort(end + 10) == 0) {
            return end; // an empty archive
        }
        if (directoryLength < 46 || directory < 0 || start < 0) {
            throw new IOException("the archive of labels is damaged");
        }
        int first = start + data.getInt(directory + 42);
        if (first < 0 || first > directory || end - first > LARGEST) {
            throw new IOException("the archive of labels is damaged");
        }
        return first;
    }

    private static byte[] content(ZipInputStream zip) throws IOException {
        ByteArrayOutputStream content = new ByteArrayOutputStream();
        byte[] part = new byte[8192];
        for (int count; (count = zip.read(part)) > 0; ) {
            content.write(part, 0, count);
            if (content.size() > LARGEST) {
                throw new IOException("an attached file is larger than " + LARGEST + " bytes");
            }
        }
        return content.toByteArray();
    }
}
