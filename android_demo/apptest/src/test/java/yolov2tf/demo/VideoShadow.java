package yolov2tf.demo;

import android.graphics.Bitmap;
import android.graphics.BitmapFactory;
import android.media.MediaMetadataRetriever;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.FileDescriptor;
import java.io.FileInputStream;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.robolectric.annotation.Implementation;
import org.robolectric.annotation.Implements;

/** The decoder of videos: of a kind of our own, PNG files one after the other, a second's tenth each. */
@Implements(MediaMetadataRetriever.class)
public class VideoShadow {
    private static final int MAGIC = 0x51DE0;
    static volatile Thread thread; // the one that decoded last

    private final List<byte[]> frames = new ArrayList<>();
    private int width;

    /**
     * Writes such a video.
     *
     * @param frames PNG files; empty ones are damaged frames
     */
    static byte[] video(int width, byte[]... frames) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        DataOutputStream out = new DataOutputStream(bytes);
        out.writeInt(MAGIC);
        out.writeInt(width);
        out.writeInt(frames.length);
        for (byte[] frame : frames) {
            out.writeInt(frame.length);
            out.write(frame);
        }
        return bytes.toByteArray();
    }

    @Implementation
    protected void setDataSource(FileDescriptor file) {
        try {
            DataInputStream in = new DataInputStream(new FileInputStream(file));
            if (in.readInt() != MAGIC) {
                throw new IOException();
            }
            width = in.readInt();
            for (int left = in.readInt(); left > 0; left--) {
                byte[] frame = new byte[in.readInt()];
                in.readFully(frame);
                frames.add(frame);
            }
        } catch (IOException error) {
            throw new RuntimeException("setDataSource failed: status = 0x80000000");
        }
    }

    @Implementation
    protected void setDataSource(FileDescriptor file, long offset, long length) {
        setDataSource(file);
    }

    @Implementation
    protected String extractMetadata(int key) {
        switch (key) {
            case MediaMetadataRetriever.METADATA_KEY_DURATION:
                return String.valueOf(100 * frames.size());
            case MediaMetadataRetriever.METADATA_KEY_VIDEO_WIDTH:
            case MediaMetadataRetriever.METADATA_KEY_VIDEO_HEIGHT:
                return width == 0 ? null : String.format(Locale.ROOT, "%d", width); // sound alone
            default:
                return null;
        }
    }

    @Implementation
    protected Bitmap getFrameAtTime(long micros, int option) {
        thread = Thread.currentThread();
        int index = (int) ((micros + 50_000) / 100_000);
        byte[] png = frames.get(Math.min(index, frames.size() - 1));
        return BitmapFactory.decodeByteArray(png, 0, png.length);
    }

    @Implementation
    protected Bitmap getScaledFrameAtTime(long micros, int option, int most, int tallest) {
        Bitmap frame = getFrameAtTime(micros, option);
        double scale = (double) most / Math.max(frame.getWidth(), frame.getHeight());
        return Bitmap.createScaledBitmap(frame, (int) Math.round(frame.getWidth() * scale),
                (int) Math.round(frame.getHeight() * scale), true);
    }

    @Implementation
    protected void release() {}
}
