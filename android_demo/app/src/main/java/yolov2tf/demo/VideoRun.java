package yolov2tf.demo;

import android.content.ContentResolver;
import android.graphics.Bitmap;
import android.net.Uri;
import android.os.Handler;
import android.os.Looper;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.util.concurrent.Semaphore;
import yolov2tf.core.Detections;
import yolov2tf.core.FirstThatWorks;

/** Shows a network the frames of a video, on a thread of its own. */
final class VideoRun {
    /** Hears on the UI thread; of nothing any more after {@link #cancel}. */
    interface Listener {
        void onNetwork(OpenNetwork network);

        void onFrame(Frame frame);

        /** Nothing follows; {@code trouble} says why, or is null at the end. */
        void onEnd(String trouble);
    }

    /** Opens the network. */
    interface NetworkOpening {
        OpenNetwork open() throws Exception;
    }

    /** A frame with what was found in it. */
    static final class Frame {
        final Bitmap bitmap;
        final Detections found;
        /** Where in the video, and how long that is, in microseconds. */
        final long at;
        final long duration;
        /** Times in milliseconds. */
        final float prepare;
        final float run;

        Frame(Bitmap bitmap, Detections found, long at, long duration, float prepare, float run) {
            this.bitmap = bitmap;
            this.found = found;
            this.at = at;
            this.duration = duration;
            this.prepare = prepare;
            this.run = run;
        }
    }

    /** From one frame to the next, in microseconds. */
    static final long STEP = 100_000;

    private final ContentResolver resolver;
    private final Uri source;
    private final NetworkOpening opening;
    private final Listener listener;
    private final Handler screen = new Handler(Looper.getMainLooper());
    private final Semaphore room = new Semaphore(1); // one frame waits for the screen, not hundreds
    private volatile boolean cancelled;

    VideoRun(ContentResolver resolver, Uri source, NetworkOpening opening, Listener listener) {
        this.resolver = resolver;
        this.source = source;
        this.opening = opening;
        this.listener = listener;
    }

    /** Starts with the frame at one time and ends before another, in microseconds. */
    void start(long from, long until) {
        new Thread(() -> run(from, until), "video").start();
    }

    /** Ends it after the frame that is under way. A provider that does not answer keeps its thread. */
    void cancel() {
        cancelled = true;
    }

    private void run(long from, long until) {
        String trouble = null;
        try (VideoFile video = VideoFile.open(resolver, source)) {
            if (!cancelled) {
                OpenNetwork network = opening.open();
                try {
                    tell(() -> listener.onNetwork(network));
                    look(video, network, from, Math.min(until, video.duration));
                } finally {
                    network.detector.close();
                }
            }
        } catch (OutOfMemoryError error) {
            trouble = "it is too large for this device's memory";
        } catch (FileNotFoundException error) {
            trouble = "it is not there any more";
        } catch (SecurityException error) {
            trouble = "the app that has it does not hand it out";
        } catch (Exception error) { // providers are other people's code: they throw anything
            trouble = FirstThatWorks.words(error);
        }
        String words = trouble;
        tell(() -> listener.onEnd(words));
    }

    private void look(VideoFile video, OpenNetwork network, long from, long until)
            throws Exception {
        boolean some = false;
        for (long at = from; at < until && !cancelled; at += STEP) {
            Bitmap bitmap = video.frame(at);
            if (bitmap == null) {
                continue; // a damaged place, or behind the last frame
            }
            some = true;
            Detections found = new Detections(network.model.layout.maxDetections);
            network.detector.detect(new BitmapPicture(bitmap), found);
            Frame frame = new Frame(bitmap, found, at, video.duration,
                    network.detector.prepareMillis(), network.detector.runMillis());
            room.acquire();
            screen.post(() -> {
                room.release();
                if (!cancelled) {
                    listener.onFrame(frame);
                }
            });
        }
        if (!some && !cancelled) {
            throw new IOException("none of its frames can be decoded");
        }
    }

    private void tell(Runnable news) {
        screen.post(() -> {
            if (!cancelled) {
                news.run();
            }
        });
    }
}
