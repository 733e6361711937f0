# Fish completion for cirt. cirt itself knows what may come next.
function __cirt_complete
    set -l words (commandline -opc) (commandline -ct)
    for line in ($words[1] --complete -- $words[2..-1] 2>/dev/null)
        if test "$line" = @files
            __fish_complete_path (commandline -ct)
            return
        end
        printf '%s\n' $line
    end
end
complete -c cirt -f -a '(__cirt_complete)'
