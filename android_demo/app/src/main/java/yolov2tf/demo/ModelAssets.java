package yolov2tf.demo;

import android.content.res.AssetFileDescriptor;
import android.content.res.AssetManager;
import java.io.FileInputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** The {@code .tflite} files that were packed into the app. */
final class ModelAssets {
    private static final List<String> FIRST =
            Arrays.asList("starter-tiny.tflite", "starter.tflite"); // made for phones, then better
    private static final String LAST = "digits.tflite";

    private final AssetManager assets;

    ModelAssets(AssetManager assets) {
        this.assets = assets;
    }

    /** Their names, sorted; the starters' real objects first, digits last. Maybe none. */
    List<String> names() {
        List<String> names = new ArrayList<>();
        try {
            for (String name : assets.list("")) {
                if (name.endsWith(".tflite")) {
                    names.add(name);
                }
            }
        } catch (IOException error) {
            names.clear(); // the screen says that there is none
        }
        return ordered(names);
    }

    /** Sorted names in the order of the list. */
    static List<String> ordered(List<String> names) {
        List<String> ordered = new ArrayList<>(FIRST);
        ordered.retainAll(names);
        for (String name : names) {
            if (!ordered.contains(name) && !name.equals(LAST)) {
                ordered.add(name);
            }
        }
        if (names.contains(LAST)) {
            ordered.add(LAST);
        }
        return ordered;
    }

    /** Maps a file into memory. The build stores models uncompressed, so that this works. */
    ByteBuffer map(String name) throws IOException {
        try (AssetFileDescriptor file = assets.openFd(name);
                FileInputStream stream = new FileInputStream(file.getFileDescriptor())) {
            return stream.getChannel().map(
                    FileChannel.MapMode.READ_ONLY, file.getStartOffset(), file.getLength());
        }
    }
}
