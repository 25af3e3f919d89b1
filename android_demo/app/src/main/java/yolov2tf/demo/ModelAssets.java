package yolov2tf.demo;

import android.content.res.AssetFileDescriptor;
import android.content.res.AssetManager;
import java.io.FileInputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.util.ArrayList;
import java.util.List;

/** The {@code .tflite} files that were packed into the app. */
final class ModelAssets {
    private static final String FIRST = "starter.tflite";
    private static final String LAST = "digits.tflite";

    private final AssetManager assets;

    ModelAssets(AssetManager assets) {
        this.assets = assets;
    }

    /** Their names, sorted; the starter's real objects first, digits last. */
    List<String> names() throws IOException {
        List<String> names = new ArrayList<>();
        for (String name : assets.list("")) {
            if (name.endsWith(".tflite")) {
                names.add(name);
            }
        }
        if (names.remove(FIRST)) {
            names.add(0, FIRST);
        }
        if (names.remove(LAST)) {
            names.add(LAST);
        }
        return names;
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
